// The newest executions, asked for again and again. Cards are filled anew, never made anew, so that focus, selection and
// what was opened stay.
import { ask, copyOf, counted, one, put, say } from "./page.js";

const BUSY_MS = 700, IDLE_MS = 2500, HURRY_MS = 15_000;
const STATUS = {
  RUNNING: "running", SUCCEEDED: "finished", FAILED: "failed", TIMED_OUT: "timed out", ABORTED: "stopped",
  PENDING_REDRIVE: "about to go on",
};
const STATE = {done: "done", running: "at work", failed: "failed here", next: "not yet", skipped: "not entered"};
const COUNTS = {
  waiting: "waiting", running: "at work", transcribed: "transcribed", reused: "reused: finished before",
  elsewhere: "left to other executions", rejected: "rejected", failed: "failed",
};
const list = one("#executions"), cards = new Map();
let isFirst = true, hurryUntil = 0, timer;

function lasting(from, to) {
  const seconds = Math.max(0, (to ? new Date(to) : new Date()) - new Date(from)) / 1000;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${Math.floor(seconds % 60)} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function titleOf({media, name}) {
  if (media.prefix) return `Everything below ${media.prefix}`;
  if (!media.files) return name;
  const more = media.number - media.files.length;
  return media.files.join(", ") + (more ? ` and ${counted(more, "more recording")}` : "");
}

function countsOf({recordings}) {
  const whole = recordings.total ?? recordings.received;
  if (whole === undefined) return "";
  const parts = Object.entries(COUNTS).filter(([name]) => recordings[name]).map(([name, label]) => `${recordings[name]} ${label}`);
  return `${counted(whole, "recording")}${parts.length ? `: ${parts.join(", ")}` : ""}`;
}

function noteOf(stage, {recordings, is_running: isRunning, stopped_at: stoppedAt}) {
  if (!stage.began_at) return "";
  const time = lasting(stage.began_at, stage.ended_at ?? (isRunning ? null : stoppedAt));
  if (stage.name !== "Transcribe" || !recordings.total) return time;
  const left = (recordings.waiting ?? 0) + (recordings.running ?? 0) + (recordings.failed ?? 0);
  return `${recordings.total - left} of ${recordings.total} · ${time}`;
}

/** As many items as there are entries, each filled; items are kept. */
function fillList(parent, entries, make, fill) {
  while (parent.children.length > entries.length) parent.lastElementChild.remove();
  while (parent.children.length < entries.length) parent.append(make());
  entries.forEach((entry, index) => fill(parent.children[index], entry));
}

function item(...classes) {
  return () => {
    const made = document.createElement("li");
    for (const name of classes) {
      const part = document.createElement("span");
      part.className = name;
      made.append(part, " ");
    }
    return made;
  };
}

/** Fill the card. What is new of it comes back as sentences. */
function show(card, told) {
  const {element} = card, at = selector => one(selector, element);
  const isBad = told.failures.length > 0;
  element.className = `panel execution ${isBad ? "bad" : told.status === "SUCCEEDED" ? "succeeded" : ""}`;
  element.hidden = false;
  put(at("h3"), titleOf(told));
  put(at(".status"), STATUS[told.status] ?? told.status);
  put(at("time"), new Date(told.started_at).toLocaleTimeString());
  at("time").dateTime = told.started_at;
  put(at(".took"), `${told.is_running ? "for" : "took"} ${lasting(told.started_at, told.stopped_at)}`);
  put(at(".redrives"), told.redrives ? `redriven ${told.redrives === 1 ? "once" : `${told.redrives} times`}` : "");
  put(at(".name"), told.name);
  fillList(at(".stages"), told.stages, item("stage", "hidden", "note"), (shown, stage) => {
    shown.className = stage.state;
    put(one(".stage", shown), stage.name);
    put(one(".hidden", shown), `: ${STATE[stage.state]}`);
    put(one(".note", shown), noteOf(stage, told));
  });
  put(at(".counts"), countsOf(told));
  at(".trouble").hidden = !isBad;
  fillList(at(".trouble ul"), told.failures, item("error", "cause"), (shown, failure) => {
    put(one(".error", shown), `${failure.state}: ${failure.error}`);
    put(one(".cause", shown), failure.cause);
  });
  put(at(".advice"), told.advice ? `What to press: ${told.advice}` : "");
  at(".rejected").hidden = !told.rejected.length;
  put(at(".rejected summary"), `${counted(told.rejected.length + told.more_rejected, "recording")} rejected, and why`);
  const rejected = told.more_rejected ? [...told.rejected, {file: "", reason: `${told.more_rejected} more are in the report.`}] : told.rejected;
  fillList(at(".rejected ul"), rejected, item("file-name", "reason"), (shown, entry) => {
    put(one(".file-name", shown), entry.file);
    put(one(".reason", shown), entry.reason);
  });
  at(".report").hidden = !told.report;
  if (told.report) at(".report").setAttribute("href", told.report);
  for (const [selector, isWanted] of [[".redrive", isBad && told.can_redrive], [".again", !told.is_running]]) {
    if (!isWanted && document.activeElement === at(selector)) at("h3").focus({preventScroll: true});
    at(selector).hidden = !isWanted;
  }
  card.version = `${told.status} ${told.stopped_at}`;
  card.isRunning = told.is_running;
  const stage = told.stages.findLast(each => each.began_at)?.name ?? "starting";
  const news = told.is_running ? stage : isBad ? `${STATUS[told.status] ?? told.status} in ${stage}` : STATUS[told.status];
  const isNew = !isFirst && card.news !== news;
  card.news = news;
  return isNew ? [`${titleOf(told)}: ${news}.`] : [];
}

async function press(card, name, action, told) {
  const button = one(`.${action}`, card.element), problem = one(".problem", card.element);
  if (button.getAttribute("aria-disabled")) return;
  button.setAttribute("aria-disabled", "true");
  put(problem, "");
  try {
    await ask(`executions/${encodeURIComponent(name)}/${action}`, {method: "POST"});
    say(told);
  } catch (error) {
    put(problem, error.message);
  }
  button.removeAttribute("aria-disabled");
  card.version = null;
  hurry();
}

function makeCard(name, index) {
  const card = {element: copyOf("execution"), version: null, isRunning: false};
  const heading = one("h3", card.element);
  heading.id = `execution-${name}`;
  one("article", card.element).setAttribute("aria-labelledby", heading.id);
  for (const action of ["report", "redrive", "again"]) one(`.${action}`, card.element).setAttribute("aria-describedby", heading.id);
  one(".redrive", card.element).addEventListener("click", () => press(card, name, "redrive", "Redriven: it goes on where it failed."));
  one(".again", card.element).addEventListener("click", () =>
    press(card, name, "again", "Started again: the new execution is at the top."));
  card.element.hidden = true;
  list.insertBefore(card.element, list.children[index] ?? null);
  cards.set(name, card);
  return card;
}

async function refresh() {
  const {executions, more, endpoint, media_bucket: bucket} = await ask("executions");
  put(one("#endpoint"), endpoint);
  put(one("#bucket"), `s3://${bucket}/media/`);
  const names = new Set(executions.map(each => each.name));
  for (const [name, card] of cards) {
    if (names.has(name)) continue;
    card.element.remove();
    cards.delete(name);
  }
  const news = await Promise.all(executions.map(async ({name, status, stopped_at: stoppedAt}, index) => {
    const card = cards.get(name) ?? makeCard(name, index);
    if (!card.isRunning && card.version === `${status} ${stoppedAt}`) return [];
    return show(card, await ask(`executions/${encodeURIComponent(name)}`));
  }));
  if (news.flat().length) say(news.flat().join(" "));
  one("#none").hidden = executions.length > 0;
  one("#more").hidden = !more;
  isFirst = false;
}

async function loop() {
  timer = null;
  const lost = one("#lost");
  try {
    if (!document.hidden) await refresh();
    put(lost, "");
  } catch (error) {
    put(lost, error.message);
  }
  lost.hidden = !lost.textContent;
  const isBusy = Date.now() < hurryUntil || [...cards.values()].some(card => card.isRunning);
  timer = setTimeout(loop, isBusy && lost.hidden ? BUSY_MS : IDLE_MS);
}

function hurry() {
  hurryUntil = Date.now() + HURRY_MS;
  // Unless it is being asked already, in which case it will be again at once.
  if (timer) { clearTimeout(timer); loop(); }
}

document.addEventListener("pressed", hurry);
document.addEventListener("visibilitychange", () => { if (!document.hidden) hurry(); });
loop();

// Recordings that were chosen or dropped, and their way into the media bucket. Nothing is sent before the button is
// pressed: whose they are is still to be said, and a dropped file can't be taken back.
import { copyOf, counted, one, put, say } from "./page.js";

const form = one("#drop"), list = one("#chosen"), input = one("#files"), button = one("#upload");
const userId = one("#user-id"), consent = one("#consent"), problem = one("#problem");
let rows = [], isBusy = false;

const sizeOf = bytes => {
  const [unit, size] = bytes >= 1e9 ? ["GB", bytes / 1e9] : bytes >= 1e6 ? ["MB", bytes / 1e6] : ["kB", bytes / 1e3];
  return `${size.toLocaleString("en", {maximumFractionDigits: 1})} ${unit}`;
};
const waiting = () => rows.filter(row => row.state !== "uploaded" && row.state !== "uploading");

function drop(gone) {
  for (const row of gone) row.element.remove();
  rows = rows.filter(row => !gone.includes(row));
  label();
}

function label() {
  put(button, waiting().length ? `Upload ${counted(waiting().length, "recording")}` : "Upload");
}

function mark(row, state, text, kind = "") {
  row.state = state;
  const shown = one(".state", row.element);
  put(shown, text);
  shown.className = `state ${kind}`;
  one("progress", row.element).hidden = state !== "uploading";
  one(".remove", row.element).hidden = state === "uploading" || state === "uploaded";
}

function add(files) {
  if (!files.length) return;
  put(problem, "");
  drop(rows.filter(row => row.state === "uploaded"));
  for (const file of files) {
    const row = {file, element: copyOf("file")};
    put(one(".name", row.element), file.name);
    put(one(".size", row.element), sizeOf(file.size));
    const remove = one(".remove", row.element);
    remove.setAttribute("aria-label", `Remove ${file.name}`);
    remove.addEventListener("click", () => { drop([row]); one("#choose").focus(); });
    mark(row, "chosen", "");
    rows.push(row);
    list.append(row.element);
  }
  label();
  say(`${counted(files.length, "recording")} chosen.`);
}

/** The sentence for what went wrong, or null. */
function send(row, headers) {
  return new Promise(done => {
    const request = new XMLHttpRequest(), bar = one("progress", row.element);
    bar.setAttribute("aria-label", `Uploading ${row.file.name}`);
    bar.value = 0;
    request.open("POST", "recordings");
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", event => { bar.value = event.loaded / event.total; });
    request.addEventListener("load", () => done(request.status === 201 ? null : request.responseText));
    request.addEventListener("error", () =>
      done("It can't be sent: the file can't be read any more, or the local AWS doesn't answer."));
    request.send(row.file);
  });
}

async function upload() {
  const id = userId.value.trim(), isConsenting = consent.checked, sent = waiting();
  userId.toggleAttribute("aria-invalid", false);
  if (!sent.length) return put(problem, "Choose recordings, or drop them on the page.");
  if (!id) {
    put(problem, "Whose recordings are they? Give the patient's user id, a pseudonym.");
    userId.setAttribute("aria-invalid", "true");
    return userId.focus();
  }
  put(problem, "");
  let refused = 0;
  for (const row of sent) {
    mark(row, "uploading", `for ${id}`);
    const trouble = await send(row, {
      "X-User-Id": encodeURIComponent(id),
      "X-File-Name": encodeURIComponent(row.file.name),
      "X-Audience-Consent": String(isConsenting),
    });
    if (trouble) {
      refused += 1;
      mark(row, "refused", trouble, "bad");
    } else {
      mark(row, "uploaded", `uploaded for ${id}, ${isConsenting ? "with" : "without"} consent to audiences`, "good");
    }
    label();
  }
  const done = sent.length - refused;
  if (done) {
    say(`${counted(done, "recording")} uploaded. ${done === 1 ? "Its" : "Their"} execution appears below.`);
    document.dispatchEvent(new Event("pressed"));
  }
  if (refused) {
    put(problem, `${counted(refused, "recording")} refused; the list says why.`);
  } else if (userId.value.trim() === id) {
    // The next recordings may be somebody else's.
    userId.value = "";
    consent.checked = false;
  }
}

form.addEventListener("submit", async event => {
  event.preventDefault();
  if (isBusy) return;
  isBusy = true;
  button.setAttribute("aria-disabled", "true");
  await upload();
  button.removeAttribute("aria-disabled");
  isBusy = false;
});
one("#choose").addEventListener("click", () => input.click());
input.addEventListener("change", () => { add([...input.files]); input.value = ""; });

// Anywhere on the page, since a browser shows a file that is dropped beside the zone instead of it.
const hasFiles = event => event.dataTransfer?.types.includes("Files");
for (const name of ["dragenter", "dragover"]) {
  document.addEventListener(name, event => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    document.body.classList.add("dragging");
  });
}
document.addEventListener("dragleave", event => { if (!event.relatedTarget) document.body.classList.remove("dragging"); });
document.addEventListener("drop", event => {
  if (!hasFiles(event)) return;
  event.preventDefault();
  document.body.classList.remove("dragging");
  const items = [...event.dataTransfer.items].filter(item => item.kind === "file");
  const folders = items.map(item => item.webkitGetAsEntry()).filter(entry => entry?.isDirectory);
  add(items.filter(item => !item.webkitGetAsEntry()?.isDirectory).map(item => item.getAsFile()).filter(Boolean));
  if (folders.length) put(problem, `${folders[0].name} is a folder; drop the recordings that are in it.`);
  userId.focus();
});
// A browser that goes back fills the fields in again.
window.addEventListener("pageshow", () => { consent.checked = false; userId.value = ""; });

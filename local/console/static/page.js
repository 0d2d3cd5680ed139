// What both halves of the page use. Whatever comes from elsewhere becomes text, never HTML.

export const one = (selector, within = document) => within.querySelector(selector);

export const copyOf = template => one(`#${template}`).content.firstElementChild.cloneNode(true);

export function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export const counted = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;

/** Tell it to those who don't see it. */
export function say(text) {
  one("#news").textContent = text;
}

/** The answer of the console, as it is; throws an Error with its sentence if it can't do what it was asked for. */
export async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Error("The local AWS doesn't answer; is `make local` still running?");
  }
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

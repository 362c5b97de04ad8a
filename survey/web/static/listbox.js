/* A box to type in with a list under it (aria-controls), whose lines the server finds for the letters: what finder.js and
   agency.js have in common. At most one list is open at a time. */

const WAIT = 80; // milliseconds after the last letter
let timer = 0;
let asked = 0; // number of the last search sent; a later one, or closing the list, overtakes it

export const listOf = (box) => document.getElementById(box.getAttribute("aria-controls"));
export const linesOf = (box) => [...listOf(box).querySelectorAll("[role=option]:not([aria-disabled])")];
export const activeOf = (box) => document.getElementById(box.getAttribute("aria-activedescendant"));
export const isOpen = (box) => !listOf(box).hidden;

/** The line that was clicked and its box, where a line that can be chosen was clicked. */
export const clicked = (event) => {
  const line = event.target instanceof Element && event.target.closest(".found [role=option]:not([aria-disabled])");
  return line && { line, box: document.querySelector(`[aria-controls="${CSS.escape(line.parentElement.id)}"]`) };
};

/** Whether a key is the input method's, or part of a shortcut: neither is for the list. */
export const isForeign = (event) =>
  event.isComposing || event.keyCode === 229 || event.ctrlKey || event.altKey || event.metaKey;

export const mark = (box, line) => {
  linesOf(box).forEach((one) => one.classList.toggle("active", one === line));
  if (line) {
    box.setAttribute("aria-activedescendant", line.id);
    line.scrollIntoView({ block: "nearest" });
  } else box.removeAttribute("aria-activedescendant");
};

export const step = (box, by) => {
  const lines = linesOf(box);
  const place = lines.indexOf(activeOf(box)) + by;
  mark(box, lines[Math.max(0, Math.min(lines.length - 1, place))]);
};

/** Calls `search` once nothing has been typed for a moment. */
export const soon = (search) => {
  clearTimeout(timer);
  timer = setTimeout(search, WAIT);
};

/** The lines for the letters, as HTML; "" when the server gave none, null when something else came in between. */
export const lookUp = async (box, address, letters) => {
  clearTimeout(timer);
  asked += 1;
  const mine = asked;
  const query = new URLSearchParams({ q: letters, list: listOf(box).id });
  const reply = await fetch(`${address}&${query}`).catch(() => null);
  const found = reply && reply.ok ? await reply.text().catch(() => "") : "";
  return mine === asked && box.isConnected ? found : null;
};

export const open = (box, found) => {
  listOf(box).innerHTML = found;
  listOf(box).hidden = false;
  box.setAttribute("aria-expanded", "true");
};

export const close = (box) => {
  clearTimeout(timer);
  asked += 1;
  if (listOf(box)) listOf(box).hidden = true; // the page may have changed under the box
  box.setAttribute("aria-expanded", "false");
  box.removeAttribute("aria-activedescendant");
};

document.addEventListener("mousedown", (event) => {
  if (event.target instanceof Element && event.target.closest(".found")) event.preventDefault(); // the box keeps the focus
});

/* A box in which agencies are typed, or chosen from the list: a few letters, no diacritics needed, arrows and Enter.
   What the list does not have may stay as it was typed. Several are separated by ";": the last one is searched. */
import { activeOf, clicked, close, isForeign, isOpen, linesOf, lookUp, mark, open, soon, step } from "./listbox.js";

const isBox = (element) => element instanceof Element && element.matches("[data-agencies]");
const several = (box) => box.hasAttribute("data-several");
const before = (box) => (several(box) ? box.value.slice(0, box.value.lastIndexOf(";") + 1) : "");

const search = async (box, asked) => {
  const letters = box.value.slice(before(box).length).trim();
  if (!letters && !asked) {
    close(box);
    return;
  }
  const found = await lookUp(box, box.dataset.agencies, letters);
  if (!found) return;
  open(box, found);
  mark(box, asked ? linesOf(box)[0] : null); // what was typed stands until a line is gone to
};

const choose = (box, line) => {
  const kept = before(box);
  box.value = `${kept}${kept ? " " : ""}${line.textContent}${several(box) ? "; " : ""}`;
  close(box);
};

document.addEventListener("input", (event) => {
  const box = event.target;
  if (isBox(box)) soon(() => search(box, false));
});

const STEPS = { ArrowDown: 1, ArrowUp: -1 };

document.addEventListener("keydown", (event) => {
  const box = event.target;
  if (!isBox(box) || isForeign(event)) return;
  if (event.key in STEPS) {
    event.preventDefault();
    if (isOpen(box)) step(box, STEPS[event.key]);
    else search(box, true);
  } else if (event.key === "Enter" && isOpen(box) && activeOf(box)) {
    event.preventDefault();
    choose(box, activeOf(box));
  } else if (event.key === "Escape" && isOpen(box)) {
    event.preventDefault();
    close(box);
  }
});

document.addEventListener("click", (event) => {
  const one = clicked(event);
  if (one) choose(one.box, one.line);
});

document.addEventListener("focusout", (event) => {
  if (isBox(event.target)) close(event.target);
});

/* Long lists: type a few letters, see at most fifty lines, choose one by keyboard alone. The server searches, so that
   a list of thousands never lies in the page. While an input method composes, no key is touched. */
import { activeOf, clicked, close, isForeign, isOpen, linesOf, listOf, lookUp, mark, open, soon, step } from "./listbox.js";

let fresh = true; // the lines on the page are those for the letters in the box
let chooseFirst = false; // Enter came before the lines did

const isFinder = (element) => element instanceof Element && element.matches("[data-find]");
const form = (box) => box.closest(".question");
const several = (box) => form(box).querySelector("template");

const shut = (box) => {
  fresh = true;
  chooseFirst = false;
  close(box);
};

const search = async (box, letters) => {
  fresh = false;
  const found = await lookUp(box, box.dataset.find, letters);
  if (found === null) return;
  fresh = true;
  const first = chooseFirst;
  chooseFirst = false;
  if (!found) return;
  open(box, found);
  const standing = linesOf(box).find((line) => line.getAttribute("aria-selected") === "true");
  mark(box, letters ? linesOf(box)[0] : standing || linesOf(box)[0]);
  listOf(box).scrollIntoView({ block: "nearest" });
  if (first) choose(box, activeOf(box));
};

const choose = (box, line) => {
  if (!line) return;
  const { value } = line.dataset;
  const words = line.textContent;
  shut(box);
  const blank = several(box);
  if (blank) {
    const picked = form(box).querySelector(".picked");
    const known = [...picked.querySelectorAll("[data-picked]")].find((one) => one.value === value);
    if (known) known.checked = true;
    else {
      const piece = blank.content.cloneNode(true);
      const tick = piece.querySelector("input");
      tick.value = value;
      tick.id = `${form(box).id}-picked-${picked.children.length + 1}`;
      piece.querySelector("span").textContent = words;
      picked.append(piece);
    }
    box.value = "";
  } else {
    form(box).querySelector("[data-picked]").value = value;
    box.value = words;
    box.dataset.words = words;
  }
  form(box).dispatchEvent(new CustomEvent("picked", { bubbles: true, detail: { onward: !blank } }));
};

// Letters that are no chosen line yet are no answer; an emptied box takes the answer back.
const leave = (box) => {
  shut(box);
  if (several(box)) {
    box.value = "";
    return;
  }
  const hidden = form(box) && form(box).querySelector("[data-picked]");
  if (hidden && !hidden.value) box.dataset.words = ""; // a kind of missing answer has taken its place
  if (!hidden || box.value === box.dataset.words) return;
  if (box.value.trim() === "") {
    hidden.value = "";
    box.dataset.words = "";
    form(box).dispatchEvent(new CustomEvent("picked", { bubbles: true, detail: { onward: false } }));
  } else if (box.dataset.words) box.value = box.dataset.words;
  else {
    const state = form(box).querySelector(".state");
    state.textContent = box.dataset.pick;
    state.className = "state not";
  }
};

document.addEventListener("input", (event) => {
  const box = event.target;
  if (!isFinder(box)) return;
  event.stopPropagation(); // what is typed here is a search, not an answer to be saved
  fresh = false;
  soon(() => search(box, box.value));
}, true);

document.addEventListener("change", (event) => {
  if (isFinder(event.target)) event.stopPropagation();
}, true);

const STEPS = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 };

document.addEventListener("keydown", (event) => {
  const box = event.target;
  if (!isFinder(box) || isForeign(event)) return;
  const taken = () => {
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  if (event.key in STEPS) {
    taken();
    if (!isOpen(box)) {
      search(box, box.value === box.dataset.words ? "" : box.value);
      return;
    }
    step(box, STEPS[event.key]);
  } else if (event.key === "Enter" && !event.shiftKey) {
    const typed = box.value.trim() !== "" && box.value !== (box.dataset.words || "");
    if (typed && !fresh) {
      taken();
      chooseFirst = true;
      search(box, box.value);
    } else if (isOpen(box) && activeOf(box)) {
      taken();
      choose(box, activeOf(box));
    }
  } else if (event.key === "Escape" && isOpen(box)) {
    taken();
    shut(box);
    if (box.dataset.words) box.value = box.dataset.words;
  }
}, true);

document.addEventListener("click", (event) => {
  const one = clicked(event);
  if (one) choose(one.box, one.line);
  else if (isFinder(event.target) && !isOpen(event.target)) search(event.target, "");
});

document.addEventListener("focusout", (event) => {
  if (isFinder(event.target)) leave(event.target);
});

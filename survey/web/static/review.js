/* Reading with the keyboard alone: arrows go from question to question, R asks for the one that is marked, A approves, N
   goes on. Without this script the form below does the same. */
"use strict";

const rows = [...document.querySelectorAll("table.answers tr[data-path]")];
const question = document.getElementById("question");
const reason = document.getElementById("reason");
let at = -1;

function mark(number, focus) {
  if (!rows.length) return;
  if (rows[at]) rows[at].classList.remove("here");
  at = Math.max(0, Math.min(rows.length - 1, number));
  rows[at].classList.add("here");
  if (focus) rows[at].scrollIntoView({ block: "center" });
}

function ask() {
  if (!question) return;
  if (rows[at]) question.value = rows[at].dataset.path;
  reason.focus();
}

for (const [number, row] of rows.entries()) row.addEventListener("click", () => mark(number, false));

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  if (event.target.closest("input, select, textarea, summary")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const key = event.key.toLowerCase();
  if (key === "arrowdown" || key === "arrowup") mark(at + (key === "arrowdown" ? 1 : -1), true);
  else if (event.repeat) return; // a key held down must not decide about the interview that comes after this one
  else if (key === "r" && reason) ask();
  else if (key === "a" || key === "n") {
    const wanted = document.querySelector(`[data-press="${key}"]`);
    if (!wanted) return;
    wanted.click();
  } else return;
  event.preventDefault();
});

// Enter after a sentence to the enumerator returns the interview; it never approves.
if (reason) {
  reason.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    if (reason.value.trim()) document.querySelector('.decide button[value="returned"]').click();
  });
}

/* Keying a form from paper. A complete code goes on to the next box at once; every box is sent in its turn, one after the
   other, and is saved when its word says so. What cannot be sent waits and is sent again. */
"use strict";

const form = document.getElementById("keying");
const silent = document.getElementById("silent");
const boxes = () => [...form.querySelectorAll(".keyed input")];
const row = (box) => box.closest(".keyed");
const queue = [];
let sending = false;
let held = null; // the box whose answer decides which box is next, until it is on disk
const early = []; // keys pressed meanwhile: they belong to the next box

function state(box, word, tone) {
  const shown = row(box).querySelector(".state");
  shown.textContent = word;
  shown.className = `state ${tone}`;
}

function next(box, step, every) {
  const all = boxes();
  for (let at = all.indexOf(box) + step; all[at]; at += step) {
    if (every || !row(all[at]).classList.contains("off")) return all[at];
  }
  return step > 0 ? document.getElementById("onward") : null;
}

function go(target) {
  if (!target) return;
  target.focus();
  if (target.select) target.select();
}

function put(box) {
  if (box.value === box.dataset.sent) return;
  box.dataset.sent = box.value;
  state(box, form.dataset.not, "not");
  queue.push([box, box.value]);
  send();
}

async function send() {
  if (sending) return;
  sending = true;
  while (queue.length) {
    const [box, value] = queue[0];
    const body = new URLSearchParams({ question: row(box).dataset.path, value, csrf_token: form.csrf_token.value });
    try {
      const reply = await fetch(form.action, { method: "POST", body });
      if (reply.redirected || !reply.ok) throw new Error(reply.status);
      const said = await reply.json();
      queue.shift();
      silent.hidden = true;
      if (said.reshaped && !queue.length) { location.reload(); return; }
      if (box.dataset.sent === value) taken(box, value, said);
    } catch {
      silent.hidden = false;
      release();
      await new Promise((later) => setTimeout(later, 1000));
    }
  }
  sending = false;
}

function taken(box, value, said) {
  const here = row(box);
  here.querySelector(".complaint").textContent = said.complaint || "";
  here.classList.toggle("refused", !said.saved);
  box.setAttribute("aria-invalid", String(!said.saved));
  if (!said.saved) {
    state(box, form.dataset.not, "not");
    if (held === box) { held = null; early.length = 0; box.select(); }
    return;
  }
  here.querySelector(".words").textContent = said.words;
  if (box.value === value && document.activeElement !== box) { box.value = said.value; box.dataset.sent = said.value; }
  state(box, value.trim() ? form.dataset.saved : "", "saved");
  document.querySelector("#count b").textContent = said.count;
  for (const one of form.querySelectorAll(".keyed")) {
    const now = said.rows[one.id.slice(2)];
    if (!now) continue;
    one.classList.toggle("off", now.off);
    one.querySelector(".flag").textContent = now.flag;
  }
  if (held === box) release();
}

function onward(box) {
  put(box);
  if (queue.some(([waiting]) => waiting === box) && silent.hidden) held = box;
  else go(next(box, 1));
}

// Goes on from the box that was waited for, and types what was pressed too early.
function release() {
  if (!held) return;
  const box = held;
  held = null;
  go(next(box, 1));
  while (early.length && !held) {
    const [key, shift] = early.shift();
    const here = document.activeElement;
    if (!here.matches(".keyed input")) early.length = 0;
    else if (!steer(here, key, shift)) {
      here.setRangeText(key, here.selectionStart, here.selectionEnd, "end");
      here.dispatchEvent(new Event("input", { bubbles: true }));
    }
  }
}

// What the keys do that are no text; whether this was one.
function steer(box, key, shift) {
  if (key === "Enter" && !shift) { onward(box); return true; }
  const way = { Enter: [-1, false], ArrowDown: [1, true], ArrowUp: [-1, true] }[key];
  if (!way) return false;
  put(box);
  go(next(box, ...way));
  return true;
}

document.addEventListener("keydown", (event) => {
  const types = event.key.length === 1 || ["Enter", "ArrowDown", "ArrowUp"].includes(event.key);
  if (!held || !types || event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault();
  event.stopPropagation();
  early.push([event.key, event.shiftKey]);
}, true);

form.addEventListener("input", (event) => {
  const box = event.target;
  if (!box.dataset.codes || event.isComposing) return;
  const typed = box.value.trim().replace(",", ".");
  if (!typed) return;
  if (box.dataset.codes.split(" ").includes(typed)) { onward(box); return; }
  row(box).querySelector(".complaint").textContent = form.dataset.code;
  row(box).classList.add("refused");
  box.select();
});

form.addEventListener("keydown", (event) => {
  const box = event.target;
  if (event.isComposing || !box.matches(".keyed input")) return;
  if (steer(box, event.key, event.shiftKey)) event.preventDefault();
});

// The page is loaded anew once what was keyed is on disk, so that it shows it.
document.addEventListener("keydown", (event) => {
  if (event.key !== "F5" && !(event.ctrlKey && event.key.toLowerCase() === "r")) return;
  for (const box of boxes()) put(box);
  if (!sending || !silent.hidden) return;
  event.preventDefault();
  whenSent(() => location.reload());
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "F10") return;
  event.preventDefault();
  document.getElementById("onward").click();
});

// Nothing is left behind: the way on opens when all that was keyed is on disk, and could be read.
document.getElementById("onward").addEventListener("click", (event) => {
  for (const box of boxes()) put(box);
  const wrong = form.querySelector(".keyed.refused input");
  if (wrong) { event.preventDefault(); go(wrong); return; }
  if (!sending) return;
  event.preventDefault();
  whenSent(() => document.getElementById("onward").click());
});

function whenSent(go) {
  const again = setInterval(() => {
    if (sending) return;
    clearInterval(again);
    go();
  }, 30);
}

form.addEventListener("focusout", (event) => { if (event.target.matches(".keyed input")) put(event.target); });

// The page is being left: what stands in the box goes out by a request that outlives the page, and so does what waits.
const parted = new Map();
function sendOff() {
  for (const box of boxes()) {
    const waits = queue.some(([waiting]) => waiting === box);
    if ((box.value === box.dataset.sent && !waits) || parted.get(box) === box.value) continue;
    parted.set(box, box.value);
    const body = new URLSearchParams({ question: row(box).dataset.path, value: box.value, csrf_token: form.csrf_token.value });
    fetch(form.action, { method: "POST", body, keepalive: true }).catch(() => {});
  }
}
window.addEventListener("pagehide", sendOff);
window.addEventListener("beforeunload", (event) => {
  sendOff();
  if (!silent.hidden && queue.length) event.preventDefault();
});
form.addEventListener("submit", (event) => event.preventDefault());

for (const box of boxes()) box.dataset.sent = box.value;
const named = location.hash && document.getElementById(location.hash.slice(1));
go((named && named.querySelector("input")) || boxes().find((box) => !box.value && !row(box).classList.contains("off")) || document.getElementById("onward"));

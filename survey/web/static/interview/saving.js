/* When an answer is sent to be saved, what the server says of it, and what the page shows meanwhile. The server answers
   with the pieces of the page that changed (htmx swaps them in) and a header X-Answer: saved, waiting, refused, ask or
   stale. Tells the rest of the page by events: "full" at a question that nothing can be added to, "free" when keys that
   waited may be done. */
import { byId, dirtyForms, isBox, isDirty, isShown, note, now, page, sheet, spend, word } from "./page.js";

const PAUSE = Number(page.dataset.autosave);
const LONGEST = 1000; // whoever writes without a pause is saved at least once a second
const RETRY = 1000;

export const save = (form, why) => {
  const mine = note(form);
  clearTimeout(mine.timer);
  mine.waiting = 0;
  mine.why = why;
  htmx.trigger(form, "save");
};

export const saveSoon = (form) => {
  const mine = note(form);
  const id = form.id;
  mine.waiting = mine.waiting || performance.now();
  clearTimeout(mine.timer);
  const rest = Math.max(0, Math.min(PAUSE, mine.waiting + LONGEST - performance.now()));
  mine.timer = setTimeout(() => byId(id) && save(byId(id), "typing"), rest);
};

export const saveThen = (form, why, go) => {
  now.afterSave = { id: form.id, go };
  save(form, why);
};

/** Saves whatever is not on disk, then goes. */
export const leave = (go) => {
  const open = dirtyForms();
  if (!open.length) {
    go();
    return;
  }
  now.afterAll = go;
  open.forEach((form) => save(form, "leave"));
};

export const saveAll = () => dirtyForms().forEach((form) => save(form, "leave"));

const forget = () => {
  now.afterSave = null;
  now.afterAll = null;
  now.ahead = [];
};

document.addEventListener("htmx:configRequest", (event) => {
  const form = event.detail.elt;
  if (!form.matches(".question")) return;
  const mine = note(form);
  const running = mine.since;
  spend(form);
  mine.since = running ? performance.now() : 0;
  mine.sent = mine.tick;
  event.detail.parameters.why = mine.why;
  event.detail.parameters.ms = Math.round(mine.spent);
  mine.spent = 0;
});

// -- pieces swapped in ---------------------------------------------------------------------------------------------

// They must not take away the focus or what is being typed, least of all what an input method composes.
document.addEventListener("compositionstart", () => (now.composing = true));
document.addEventListener("compositionend", () => (now.composing = false));
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  if (now.composing && event.detail.target.contains(document.activeElement)) event.detail.shouldSwap = false;
});
let kept = null;
document.addEventListener("htmx:beforeSwap", () => {
  const active = document.activeElement;
  kept = {
    id: active && active.id,
    start: isBox(active) ? active.selectionStart : null,
    values: [
      ...dirtyForms().flatMap((form) => [...form.querySelectorAll("input[type=text], textarea")]),
      ...sheet.querySelectorAll("[data-find]:focus"),
    ].map((box) => [box.id, box.value]),
  };
});

const restore = () => {
  if (!kept) return;
  kept.values.forEach(([id, value]) => {
    const box = byId(id);
    if (box && box.value !== value) box.value = value;
  });
  const active = byId(kept.id);
  if (active && active !== document.activeElement && isShown(active) && document.activeElement === document.body) {
    active.focus({ preventScroll: true });
    if (kept.start !== null) active.setSelectionRange(kept.start, kept.start);
  }
  kept = null;
};

// -- what the server said ------------------------------------------------------------------------------------------

document.addEventListener("htmx:afterRequest", (event) => {
  restore();
  // The question that was sent: when the answer replaces it, htmx tells of an element further out instead.
  const { xhr, requestConfig: { elt } } = event.detail;
  if (!elt.matches(".question")) return;
  const form = byId(elt.id) || elt;
  const mine = note(form);
  const verdict = xhr.getResponseHeader("X-Answer");
  if (xhr.status === 0) {
    unreachable(form);
    return;
  }
  reachable();
  if (!verdict || verdict === "stale" || verdict === "locked") {
    word(form, page.dataset.failed, "not");
    forget();
    return;
  }
  mine.settled = mine.sent;
  if (isDirty(form)) {
    // Something was typed since this was sent: the word "saved" would be too early.
    word(form, page.dataset.unsaved, "");
    if (now.afterSave && now.afterSave.id === form.id) save(form, "leave");
    return;
  }
  if (verdict === "ask") {
    forget();
    const ask = form.querySelector(".ask-first");
    if (ask) ask.focus();
    return;
  }
  if (verdict === "refused" && now.afterSave) forget();
  if (now.afterSave && now.afterSave.id === form.id && verdict === "saved") {
    const { go } = now.afterSave;
    now.afterSave = null;
    go();
    document.dispatchEvent(new Event("free"));
  } else if (verdict === "saved" && xhr.getResponseHeader("X-Full") && document.activeElement.closest(".question") === form) {
    form.dispatchEvent(new Event("full", { bubbles: true }));
  }
  if (now.afterAll && !dirtyForms().length) {
    const go = now.afterAll;
    forget();
    go();
  }
});

const unreachable = (form) => {
  now.silent = true;
  byId("silent").hidden = false;
  word(form, page.dataset.failed, "not");
  now.ahead = [];
  const mine = note(form);
  const id = form.id;
  clearTimeout(mine.timer);
  mine.timer = setTimeout(() => byId(id) && isDirty(byId(id)) && save(byId(id), "retry"), RETRY);
};

const reachable = () => {
  if (!now.silent) return;
  now.silent = false;
  byId("silent").hidden = true;
};

// The screen is being locked, or open again: what is not on disk yet goes there.
["locking", "unlocked"].forEach((kind) => document.addEventListener(kind, saveAll));
document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && saveAll());

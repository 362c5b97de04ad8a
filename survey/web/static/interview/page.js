/* What the parts of the interview page share: the page's elements, how far each answer has got on its way to the disk,
   and the few things that all of them have to know. */

export const page = document.getElementById("interview");
export const sheet = document.getElementById("sheet");

/** What is going on: read by every part, changed by the part that its comment names. */
export const now = {
  current: null, // id of the question that has the focus (moving)
  lastQuestion: null, // or had it last (moving)
  afterSave: null, // {id, go}: what to do once that question's answer is on disk (saving)
  afterAll: null, // what to do once every answer is on disk (saving)
  ahead: [], // keys pressed while an answer was on its way (keys)
  silent: false, // the server does not answer (saving)
  turning: "", // address of the next section while it is on its way (moving)
  composing: false, // an input method is at work (saving)
};

export const byId = (id) => (id ? document.getElementById(id) : null);
export const isShown = (element) => element.getClientRects().length > 0;
export const isBox = (element) => element && element.matches("input[type=text], input[type=search], textarea");
export const questions = () => [...sheet.querySelectorAll(".question:not(.note-only)")].filter(isShown);

export const word = (form, text, className) => {
  const state = form.querySelector(".state");
  if (state) {
    state.textContent = text;
    state.className = `state ${className}`;
  }
};

// -- how far an answer has got -------------------------------------------------------------------------------------

export const notes = new Map(); // id of a question -> how far its answer has got on its way to the disk

export const note = (form) => {
  if (!notes.has(form.id)) {
    notes.set(form.id, { tick: 0, sent: 0, settled: 0, parted: 0, timer: 0, waiting: 0, since: 0, spent: 0, why: "" });
  }
  return notes.get(form.id);
};
export const isDirty = (form) => note(form).tick > note(form).settled;
export const dirtyForms = () => [...sheet.querySelectorAll(".question")].filter(isDirty);

export const touch = (form) => {
  note(form).tick += 1;
  word(form, page.dataset.unsaved, "");
};

/** Adds the time since the question got the focus to what was spent at it. */
export const spend = (form) => {
  const mine = note(form);
  if (mine.since) mine.spent += performance.now() - mine.since;
  mine.since = 0;
};

// -- an Enter too many ---------------------------------------------------------------------------------------------

// An Enter so soon after the page went on by itself was meant for the question before: it is not taken.
const HABIT = 700;
let landed = -Infinity; // when the page last went on by itself
let boxBefore = null; // id of the box that the page has just left by itself: Backspace leads back into it

export const landing = (box) => {
  landed = performance.now();
  boxBefore = box || null;
};

/** Whether the page has just gone on by itself, and the box it left; asking ends it. */
export const landedJustNow = () => {
  const found = { habit: performance.now() - landed < HABIT, box: byId(boxBefore) };
  landed = -Infinity;
  boxBefore = null;
  return found;
};

/* Where the focus goes: from question to question, to the next section, and where a page begins. */
import { byId, isBox, isDirty, isShown, landing, note, notes, now, questions, sheet, spend } from "./page.js";
import { leave, save, saveThen } from "./saving.js";
import { sendTimes } from "./leaving.js";

export const focusQuestion = (form, block) => {
  const target =
    form.querySelector("input:checked:not([data-missing])") ||
    form.querySelector("input:not([type=hidden]):not([disabled]), textarea, select, button:not([data-sound], [data-drop], [data-turn])");
  if (!target) return;
  target.focus({ preventScroll: true });
  const fits = form.offsetHeight < window.innerHeight - 170; // the line on top and the strip of keys take their room
  form.scrollIntoView({ block: !fits ? "start" : block || (form.closest(".grid") ? "nearest" : "center") });
};

export const move = (id, step) => {
  const all = questions();
  const place = all.findIndex((form) => form.id === id);
  const target = place < 0 ? all[0] : all[place + step];
  if (target) {
    focusQuestion(target);
    return;
  }
  const door = byId(step > 0 ? "onward" : "backward");
  if (step > 0 && door && "ready" in door.dataset && "open" in byId("lease").dataset) {
    leave(() => (door.dataset.ready === "end" ? end(door.href) : turn(door.href)));
  } else if (door) {
    door.focus();
    door.scrollIntoView({ block: "nearest" });
  }
};

/** On to the next question; but first to a soft check that just came up here and is not explained. */
export const onward = (id) => {
  const form = byId(id);
  const doubt = form && !form.querySelector(".kept") && form.querySelector("[data-explain]");
  if (!doubt) {
    move(id, 1);
    return;
  }
  doubt.focus({ preventScroll: true });
  doubt.scrollIntoView({ block: "nearest" });
};

export const next = (form) => {
  if (isDirty(form)) saveThen(form, "leave", () => onward(form.id));
  else onward(form.id);
};

export const back = (form) => {
  if (isDirty(form)) saveThen(form, "leave", () => move(form.id, -1));
  else move(form.id, -1);
};

document.addEventListener("explained", (event) => move(event.target.id, 1));

// Nothing could be added to this answer: on to the next question, unless somebody is at work inside the box.
document.addEventListener("full", (event) => {
  const box = document.activeElement;
  if (isBox(box) && (now.composing || box.selectionStart !== box.value.length)) return;
  const id = isBox(box) ? box.id : null;
  onward(event.target.id);
  landing(id);
});

document.addEventListener("focusin", (event) => {
  // That button saves by itself; a save before it would be refused, and put another button under the pointer.
  if (event.target.id === "take-over") return;
  const form = event.target.closest(".question");
  const id = form ? form.id : null;
  if (id === now.current) return;
  const old = byId(now.current);
  if (old) {
    spend(old);
    old.dispatchEvent(new Event("left", { bubbles: true }));
    if (isDirty(old) && !(now.afterSave && now.afterSave.id === old.id)) save(old, "leave");
  }
  now.current = id;
  if (!form) return;
  now.lastQuestion = id;
  note(form).since = performance.now();
});

// -- from section to section ---------------------------------------------------------------------------------------

/* The next section, in place of this one, without loading the page anew: keys that are pressed meanwhile wait. */
const turn = (url) => {
  now.turning = url;
  sendTimes();
  // Once the request before has come to its end. Whether this one came is told below, not by its promise.
  setTimeout(() => htmx.ajax("GET", url, { source: sheet, swap: "none" }).catch(() => {}), 0);
};

/* The review page: until it is there no key changes the answer that was given last. */
const end = (url) => {
  now.turning = url;
  location.assign(url);
};

document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.requestConfig.elt !== sheet) return;
  const url = now.turning;
  now.turning = "";
  if (!event.detail.successful) {
    // It did not come. The door to it takes the focus, and says what is wrong when it is opened.
    now.ahead = [];
    byId("onward").focus();
    return;
  }
  history.pushState(null, "", url);
  document.title = byId("lease").dataset.title;
  notes.clear();
  now.current = null;
  window.scrollTo(0, 0);
  start();
  landing();
  document.dispatchEvent(new Event("free"));
});
window.addEventListener("popstate", () => location.reload());

export const start = () => {
  const first = byId(byId("lease").dataset.start);
  // What stands above the first question is to be read out first: the page begins at its top when both fit.
  if (first && isShown(first)) focusQuestion(first, "nearest");
  else if (byId("onward")) byId("onward").focus();
  const step = document.querySelector("#rail [aria-current]");
  if (step) step.scrollIntoView({ block: "nearest" });
};

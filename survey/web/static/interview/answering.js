/* What a choice, a tick, a typed code or a changed box does to the answer of its question. */
import { byId, isBox, isDirty, isShown, landing, note, now, page, sheet, touch, word } from "./page.js";
import { save, saveSoon, saveThen } from "./saving.js";
import { focusQuestion, move, onward } from "./moving.js";

const settleExclusive = (form, input) => {
  // A kind of missing answer stands alone: it empties the boxes and ticks, and an answer takes it back.
  const isMissing = input.hasAttribute("data-missing");
  if (isMissing && !input.checked) return;
  form.querySelectorAll("[data-missing]").forEach((other) => {
    if (other !== input) other.checked = false;
  });
  if (isMissing) {
    form.querySelectorAll("input[type=checkbox]:not([data-missing])").forEach((other) => (other.checked = false));
    form.querySelectorAll("input[type=text], input[type=search], input[type=file], input[type=hidden][data-picked], textarea, select")
      .forEach((box) => (box.value = ""));
    rank(form, null);
  }
};

// The places of a ranking (rank.js). It is an answer once every item has a place, or none.
const rank = (form, input) => {
  const event = new CustomEvent("ranking", { bubbles: true, detail: { input } });
  form.dispatchEvent(event);
  return event.detail;
};

export const choose = (form, input) => {
  const stays = input.checked && input.type === "radio";
  input.checked = input.type === "radio" || !input.checked;
  settleExclusive(form, input);
  input.focus({ preventScroll: true });
  if (stays && !isDirty(form)) {
    move(form.id, 1);
    return;
  }
  touch(form);
  if (input.dataset.rank) {
    const { whole, none } = rank(form, input);
    if (whole) saveThen(form, "key", () => onward(form.id));
    else if (none) save(form, "key");
    return;
  }
  const goesOn = input.checked && (input.type === "radio" || input.hasAttribute("data-missing"));
  if (goesOn) saveThen(form, "key", () => onward(form.id));
  else save(form, "key");
};

// -- codes of several figures --------------------------------------------------------------------------------------

export const codeOf = (form) => form.querySelector(".typed");
export const showCode = (form, code) => {
  codeOf(form).dataset.code = code;
  codeOf(form).textContent = code;
};
const clearCode = (form) => {
  if (codeOf(form)) showCode(form, "");
};
document.addEventListener("left", (event) => clearCode(event.target));

/** The code typed so far: taken at once when no longer code begins with it, and said to be none when none does. */
export const takeCode = (form, code, ended) => {
  const begun = [...form.querySelectorAll("input[name=value][data-key]")].filter((input) => input.dataset.key.startsWith(code));
  const input = begun.find((one) => one.dataset.key === code);
  if (!begun.length || (ended && !input)) {
    word(form, `${page.dataset.nocode} ${code}`, "not");
    clearCode(form);
  } else if (input && (ended || begun.length === 1)) {
    clearCode(form);
    choose(form, input);
    if (!ended) {
      if (codeOf(form)) codeOf(form).textContent = `${code} ✓`;
      landing();
    }
  } else showCode(form, code);
};

// -- a question that asks first ------------------------------------------------------------------------------------

export const answerAsk = (form, key) => {
  const button = form.querySelector(`.ask-first button[data-key="${key === "Escape" ? "2" : key}"]`);
  if (button) button.click();
  return Boolean(button);
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  if (!button) return;
  const form = button.closest(".question");
  if (button.dataset.do === "rethink") focusQuestion(form);
  if (button.dataset.do === "change") saveThen(form, "confirm", () => move(form.id, 1));
  if (button.dataset.do === "keep") {
    note(form).settled = note(form).tick;
    now.afterSave = { id: form.id, go: () => byId(form.id) && focusQuestion(byId(form.id)) };
    save(form, "keep");
  }
});

// -- what boxes, buttons and lists tell ----------------------------------------------------------------------------

// A line was chosen from a long list (finder.js).
sheet.addEventListener("picked", (event) => {
  const form = event.target;
  form.querySelectorAll("[data-missing]").forEach((other) => (other.checked = false));
  touch(form);
  if (event.detail.onward) saveThen(form, "key", () => onward(form.id));
  else save(form, "press");
});

sheet.addEventListener("input", (event) => {
  const form = event.target.closest(".question");
  if (!form || !isBox(event.target)) return;
  if (event.target.value) {
    form.querySelectorAll("[data-missing]").forEach((other) => (other.checked = false));
  }
  touch(form);
  saveSoon(form);
});

sheet.addEventListener("change", (event) => {
  const form = event.target.closest(".question");
  if (!form || isBox(event.target)) return;
  if (event.target.matches("input")) settleExclusive(form, event.target);
  touch(form);
  if (event.target.dataset.rank) {
    const { whole, none } = rank(form, event.target);
    if (!whole && !none) return;
  }
  save(form, "press");
});

/** The button of a question that bears this key. */
export const keyed = (form, key) =>
  [...form.querySelectorAll("input[data-key]")].find((input) => input.dataset.key === key && isShown(input));

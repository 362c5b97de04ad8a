/* Which key does what, at once or, when an answer is on its way to the disk, as soon as it has arrived. */
import { byId, dirtyForms, isBox, isShown, landedJustNow, now, questions, sheet } from "./page.js";
import { leave } from "./saving.js";
import { back, focusQuestion, move, next } from "./moving.js";
import { answerAsk, choose, codeOf, keyed, showCode, takeCode } from "./answering.js";

/* One key for one question; true when it meant something there. */
const press = (form, key, shift) => {
  if (form.querySelector(".ask-first")) return answerAsk(form, key);
  const code = (codeOf(form) && codeOf(form).dataset.code) || "";
  if (key === "Enter") {
    if (code) takeCode(form, code, true);
    else if (shift) back(form);
    else next(form);
    return true;
  }
  const missing = keyed(form, key);
  if (codeOf(form) && /^[0-9A-Za-z]$/.test(key)) {
    takeCode(form, code + key, false);
    return true;
  }
  if (code && key === "Backspace") {
    showCode(form, code.slice(0, -1));
    return true;
  }
  if (missing) {
    choose(form, missing);
    return true;
  }
  return false;
};

/* What a key does at the place that has the focus; true when it meant something there. `raw` is what it writes. */
const act = (target, { key, raw, shift }) => {
  const form = target.closest(".question");
  if (!form) return false;
  const { habit, box } = landedJustNow();
  if (habit && key === "Enter" && !shift) return true;
  if (box && key === "Backspace") {
    focusQuestion(box.closest(".question"));
    box.setSelectionRange(box.value.length, box.value.length);
    return false; // and there it takes a figure away
  }
  const isMissingKey = "/*+".includes(key) &&
    (target.hasAttribute("data-figures") || (target.hasAttribute("data-moment") && !target.value));
  if ((isBox(target) && key !== "Enter" && !isMissingKey) || (target.matches("select") && key !== "Enter")) return false;
  if (target.matches("button, a") && key === "Enter") return false;
  if (key.startsWith("Arrow")) {
    // Arrows move the focus and never the answer: a tired hand that scrolls must not change what was said.
    if (!target.matches("input[type=radio], input[type=checkbox]")) return false;
    wander(form, target, key);
    return true;
  }
  return press(form, key, shift);
};

const wander = (form, from, arrow) => {
  const along = form.closest(".grid") ? ["ArrowLeft", "ArrowRight"] : ["ArrowUp", "ArrowDown"];
  const step = arrow === "ArrowRight" || arrow === "ArrowDown" ? 1 : -1;
  if (form.closest(".grid") && !along.includes(arrow)) {
    move(form.id, step);
    return;
  }
  const inputs = [...form.querySelectorAll("input[type=radio], input[type=checkbox]")].filter(isShown);
  const target = inputs[inputs.indexOf(from) + step];
  if (target) target.focus();
};

// Keys that were pressed while an answer was on its way, done where the focus is now.
document.addEventListener("free", () => {
  while (now.ahead.length && !now.afterSave && !now.turning) {
    const stroke = now.ahead.shift();
    const target = document.activeElement;
    if (target.matches("[data-find]") && stroke.raw.length > 1 && !stroke.written) {
      const again = { key: stroke.key, shiftKey: stroke.shift, bubbles: true, cancelable: true };
      target.dispatchEvent(new KeyboardEvent("keydown", again));
      continue;
    }
    if (act(target, stroke)) continue;
    if (isBox(target) && stroke.raw === "Backspace") {
      const to = target.selectionEnd;
      target.setRangeText("", Math.max(0, Math.min(target.selectionStart, to - 1)), to, "end");
      target.dispatchEvent(new Event("input", { bubbles: true }));
    } else if (isBox(target) && (stroke.raw.length === 1 || stroke.written)) {
      target.setRangeText(stroke.raw, target.selectionStart, target.selectionEnd, "end");
      target.dispatchEvent(new Event("input", { bubbles: true }));
    } else if (target.matches("button, a") && stroke.key === "Enter") {
      target.click();
    }
  }
});

// The Vietnamese layout of Windows writes ă, â, ê … on the row of digits: there the place of the key counts.
const meaning = (event) => {
  const row = /^(?:Digit|Numpad)([0-9])$/.exec(event.code);
  if (row && !event.shiftKey && !"0123456789/*+".includes(event.key)) return row[1];
  return event.key;
};

// F3 marks the question that has the focus (or had it last) to come back to.
const flagHere = () => {
  const form = byId(now.current || now.lastQuestion);
  const path = form && form.querySelector("[name=question]");
  if (!path) return;
  byId("flag-question").value = path.value;
  htmx.trigger(byId("flag"), "save");
};
document.addEventListener("mousedown", (event) => event.target.closest("#flag-turn") && event.preventDefault());
document.addEventListener("click", (event) => event.target.closest("#flag-turn") && flagHere());

const pressButton = (selector) => {
  const button = document.querySelector(selector);
  if (button) button.click();
  return Boolean(button);
};

/* Keys that mean the same wherever the focus is; true when this was one. */
const everywhere = (event, form) => {
  if (event.key === "F3") flagHere();
  else if (event.key === "F7") return pressButton("[data-turn]");
  else if (event.key === "F8") pressButton(".tongues button[aria-pressed=false]");
  else if (event.key === "Escape") toRail(event, form);
  else return false;
  return true;
};

const toRail = (event, form) => {
  if (form && form.querySelector(".ask-first")) {
    answerAsk(form, "Escape");
    return;
  }
  const rail = document.querySelector("#rail [aria-current]");
  if (event.target.closest("#rail")) focusQuestion(byId(now.lastQuestion) || questions()[0] || sheet);
  else if (rail) rail.focus();
};

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.keyCode === 229) return; // an input method is at work: every key is its own
  if ((event.key === "F5" || (event.ctrlKey && event.key.toLowerCase() === "r")) && dirtyForms().length && !now.silent) {
    event.preventDefault();
    leave(() => location.reload());
    return;
  }
  if (event.ctrlKey || event.altKey || event.metaKey) {
    if (event.ctrlKey && event.key === "Enter" && event.target.matches("textarea")) {
      event.target.setRangeText("\n", event.target.selectionStart, event.target.selectionEnd, "end");
      event.target.dispatchEvent(new Event("input", { bubbles: true }));
    }
    return;
  }
  const form = event.target.closest(".question");
  if (everywhere(event, form)) {
    event.preventDefault();
    return;
  }
  if (event.target.closest("#rail") && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    event.preventDefault();
    const links = [...document.querySelectorAll("#rail a")];
    const place = links.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : -1);
    if (links[place]) links[place].focus();
    return;
  }
  if (!form && !now.turning) return;
  const stroke = { key: meaning(event), raw: event.key, shift: event.shiftKey };
  // Backspace too: input methods of Windows write a letter with its mark by taking the bare letter away first.
  const waits = stroke.raw.length === 1 || ["Enter", "Backspace"].includes(stroke.key) || stroke.key.startsWith("Arrow");
  if ((now.afterSave || now.turning) && waits) {
    event.preventDefault();
    now.ahead.push(stroke);
    return;
  }
  if (act(event.target, stroke)) event.preventDefault();
});

// What an input method writes without a key of its own waits in the same line.
document.addEventListener("beforeinput", (event) => {
  if (!(now.afterSave || now.turning) || event.isComposing || event.inputType !== "insertText" || !event.data) return;
  event.preventDefault();
  now.ahead.push({ key: event.data, raw: event.data, shift: false, written: true });
});

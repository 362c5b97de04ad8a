/* The interview page: which key does what, when an answer is sent to be saved, and where to go next.

   What the answers mean, which questions show and what a message says is the server's business: it answers every save
   with the pieces of the page that changed (htmx swaps them in) and a header X-Answer: saved, waiting, refused, ask or
   stale. This file only moves the focus and decides when to send. Nothing is kept in browser storage. */
"use strict";

(() => {
  const page = document.getElementById("interview");
  if (!page) return;

  const PAUSE = Number(page.dataset.autosave);
  const RETRY = 1000;
  const sheet = document.getElementById("sheet");
  const notes = new Map(); // id of a question -> how far its answer has got on its way to the disk
  let current = null; // id of the question that has the focus
  let lastQuestion = null; // or had it last
  let afterSave = null; // {id, go}: what to do once that question's answer is on disk
  let afterAll = null; // what to do once every answer is on disk
  let ahead = []; // keys pressed while an answer was on its way
  let silent = false; // the server does not answer
  let turning = ""; // address of the next section while it is on its way
  let landed = -Infinity; // when the page last went on by itself

  // An Enter so soon after the page went on by itself was meant for the question before: it is not taken.
  const HABIT = 700;
  const isHabit = () => performance.now() - landed < HABIT;
  let boxBefore = null; // id of the box that the page has just left by itself: Backspace leads back into it
  const landing = (box) => {
    landed = performance.now();
    boxBefore = box || null;
  };

  // -- small things ------------------------------------------------------------------------------------------------

  const byId = (id) => (id ? document.getElementById(id) : null);
  const isShown = (element) => element.getClientRects().length > 0;
  const questions = () => [...sheet.querySelectorAll(".question:not(.note-only)")].filter(isShown);
  const note = (form) => {
    if (!notes.has(form.id)) {
      notes.set(form.id, { tick: 0, sent: 0, settled: 0, parted: 0, timer: 0, since: 0, spent: 0, why: "" });
    }
    return notes.get(form.id);
  };
  const isDirty = (form) => note(form).tick > note(form).settled;
  const dirtyForms = () => [...sheet.querySelectorAll(".question")].filter(isDirty);
  const isBox = (element) => element && element.matches("input[type=text], input[type=search], textarea");
  const word = (form, text, className) => {
    const state = form.querySelector(".state");
    if (state) {
      state.textContent = text;
      state.className = `state ${className}`;
    }
  };

  // -- saving ------------------------------------------------------------------------------------------------------

  const touch = (form) => {
    note(form).tick += 1;
    word(form, page.dataset.unsaved, "");
  };

  const save = (form, why) => {
    const mine = note(form);
    clearTimeout(mine.timer);
    mine.why = why;
    htmx.trigger(form, "save");
  };

  const saveSoon = (form) => {
    const mine = note(form);
    const id = form.id;
    clearTimeout(mine.timer);
    mine.timer = setTimeout(() => byId(id) && save(byId(id), "typing"), PAUSE);
  };

  const saveThen = (form, why, go) => {
    afterSave = { id: form.id, go };
    save(form, why);
  };

  const leave = (go) => {
    const open = dirtyForms();
    if (!open.length) {
      go();
      return;
    }
    afterAll = go;
    open.forEach((form) => save(form, "leave"));
  };

  const forget = () => {
    afterSave = null;
    afterAll = null;
    ahead = [];
  };

  const spend = (form) => {
    const mine = note(form);
    if (mine.since) mine.spent += performance.now() - mine.since;
    mine.since = 0;
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

  // Pieces swapped in must not take away the focus or what is being typed, least of all what an input method composes.
  let composing = false;
  document.addEventListener("compositionstart", () => (composing = true));
  document.addEventListener("compositionend", () => (composing = false));
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    if (composing && event.detail.target.contains(document.activeElement)) event.detail.shouldSwap = false;
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
      if (afterSave && afterSave.id === form.id) save(form, "leave");
      return;
    }
    if (verdict === "ask") {
      forget();
      const ask = form.querySelector(".ask-first");
      if (ask) ask.focus();
      return;
    }
    if (verdict === "refused" && afterSave) forget();
    if (afterSave && afterSave.id === form.id && verdict === "saved") {
      const { go } = afterSave;
      afterSave = null;
      go();
      replay();
    } else if (verdict === "saved" && mine.why === "typing" && xhr.getResponseHeader("X-Full")) {
      // No further figure could stand in this box: on to the next question.
      const box = document.activeElement;
      if (!composing && box.closest(".question") === form && isBox(box) && box.selectionStart === box.value.length) {
        const id = box.id;
        onward(form.id);
        landing(id);
      }
    }
    if (afterAll && !dirtyForms().length) {
      const go = afterAll;
      forget();
      go();
    }
  });

  const unreachable = (form) => {
    silent = true;
    byId("silent").hidden = false;
    word(form, page.dataset.failed, "not");
    ahead = [];
    const mine = note(form);
    const id = form.id;
    clearTimeout(mine.timer);
    mine.timer = setTimeout(() => byId(id) && isDirty(byId(id)) && save(byId(id), "retry"), RETRY);
  };

  const reachable = () => {
    if (!silent) return;
    silent = false;
    byId("silent").hidden = true;
  };

  // A request that outlives the page.
  const sendAway = (url, body) => {
    const headers = { "X-CSRFToken": page.dataset.csrf, "HX-Request": "true" };
    fetch(url, { method: "POST", body, keepalive: true, headers }).catch(() => {});
  };

  // The time that was spent at questions whose answer stays as it is, which no save has told.
  const sendTimes = () => {
    const body = new FormData();
    if (byId(current)) spend(byId(current));
    notes.forEach((mine, id) => {
      const path = byId(id) && byId(id).querySelector("[name=question]");
      if (path && mine.spent >= 200) {
        body.append("question", path.value);
        body.append("ms", Math.round(mine.spent));
        mine.spent = 0;
      }
    });
    if (body.has("question")) sendAway(page.dataset.times, body);
  };

  // The page is being left: whatever is still in a box goes out before the next page is asked for, which takes the
  // right to write away from this one.
  const sendOff = () => {
    dirtyForms().forEach((form) => {
      const mine = note(form);
      if (mine.parted === mine.tick) return;
      mine.parted = mine.tick;
      const body = new FormData(form);
      body.set("lease", byId("lease").value);
      body.set("why", "parting");
      spend(form);
      body.set("ms", Math.round(mine.spent));
      mine.spent = 0;
      sendAway(form.getAttribute("hx-post"), body);
    });
    sendTimes();
  };
  window.addEventListener("beforeunload", sendOff);
  window.addEventListener("pagehide", sendOff);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") {
      dirtyForms().forEach((form) => save(form, "leave"));
    }
  });
  window.addEventListener("beforeunload", (event) => {
    // A file is too large to be sent on leaving; and nothing arrives while the program does not answer.
    const file = dirtyForms().some((form) => form.querySelector("input[type=file]"));
    if (file || (silent && dirtyForms().length)) event.preventDefault();
  });

  // The screen is being locked, or open again: what is not on disk yet goes there.
  ["locking", "unlocked"].forEach((kind) =>
    document.addEventListener(kind, () => dirtyForms().forEach((form) => save(form, "leave"))));

  // -- moving ------------------------------------------------------------------------------------------------------

  const focusQuestion = (form, block) => {
    const target =
      form.querySelector("input:checked:not([data-missing])") ||
      form.querySelector("input:not([type=hidden]):not([disabled]), textarea, select, button:not([data-sound], [data-drop], [data-turn])");
    if (!target) return;
    target.focus({ preventScroll: true });
    const fits = form.offsetHeight < window.innerHeight - 170; // the line on top and the strip of keys take their room
    form.scrollIntoView({ block: !fits ? "start" : block || (form.closest(".grid") ? "nearest" : "center") });
  };

  const move = (id, step) => {
    const all = questions();
    const place = all.findIndex((form) => form.id === id);
    const target = place < 0 ? all[0] : all[place + step];
    if (target) {
      focusQuestion(target);
      return;
    }
    const door = byId(step > 0 ? "onward" : "backward");
    if (step > 0 && door && "ready" in door.dataset && "open" in byId("lease").dataset) {
      leave(() => turn(door.href));
    } else if (door) {
      door.focus();
      door.scrollIntoView({ block: "nearest" });
    }
  };

  /* The next section, in place of this one, without loading the page anew: keys that are pressed meanwhile wait. */
  const turn = (url) => {
    turning = url;
    sendTimes();
    // Once the request before has come to its end. Whether this one came is told below, not by its promise.
    setTimeout(() => htmx.ajax("GET", url, { source: sheet, swap: "none" }).catch(() => {}), 0);
  };
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.requestConfig.elt !== sheet) return;
    const url = turning;
    turning = "";
    if (!event.detail.successful) {
      // It did not come. The door to it takes the focus, and says what is wrong when it is opened.
      ahead = [];
      byId("onward").focus();
      return;
    }
    history.pushState(null, "", url);
    document.title = byId("lease").dataset.title;
    notes.clear();
    current = null;
    window.scrollTo(0, 0);
    start();
    landing();
    replay();
  });
  window.addEventListener("popstate", () => location.reload());

  // On to the next question; but first to a soft check that just came up here and is not explained.
  const onward = (id) => {
    const form = byId(id);
    const doubt = form && !form.querySelector(".kept") && form.querySelector("[data-explain]");
    if (!doubt) {
      move(id, 1);
      return;
    }
    doubt.focus({ preventScroll: true });
    doubt.scrollIntoView({ block: "nearest" });
  };

  const next = (form) => {
    if (isDirty(form)) saveThen(form, "leave", () => onward(form.id));
    else onward(form.id);
  };

  document.addEventListener("explained", (event) => move(event.target.id, 1));

  const back = (form) => {
    if (isDirty(form)) saveThen(form, "leave", () => move(form.id, -1));
    else move(form.id, -1);
  };

  document.addEventListener("focusin", (event) => {
    // That button saves by itself; a save before it would be refused, and put another button under the pointer.
    if (event.target.id === "take-over") return;
    const form = event.target.closest(".question");
    const id = form ? form.id : null;
    if (id === current) return;
    const old = byId(current);
    if (old) {
      spend(old);
      clearCode(old);
      if (isDirty(old) && !(afterSave && afterSave.id === old.id)) save(old, "leave");
    }
    current = id;
    if (!form) return;
    lastQuestion = id;
    note(form).since = performance.now();
  });

  // -- answering ---------------------------------------------------------------------------------------------------

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

  const choose = (form, input) => {
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

  const codeOf = (form) => form.querySelector(".typed");
  const showCode = (form, code) => {
    codeOf(form).dataset.code = code;
    codeOf(form).textContent = code;
  };
  const clearCode = (form) => {
    if (codeOf(form)) showCode(form, "");
  };

  const keyed = (form, key) =>
    [...form.querySelectorAll("input[data-key]")].find((input) => input.dataset.key === key && isShown(input));

  /* The code typed so far: taken at once when no longer code begins with it, and said to be none when none does. */
  const takeCode = (form, code, ended) => {
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

  const answerAsk = (form, key) => {
    const button = form.querySelector(`.ask-first button[data-key="${key === "Escape" ? "2" : key}"]`);
    if (button) button.click();
    return Boolean(button);
  };

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
    const habit = key === "Enter" && !shift && isHabit();
    const box = key === "Backspace" && byId(boxBefore);
    landing();
    landed = -Infinity;
    if (habit) return true;
    if (box) {
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

  // Keys that were pressed while an answer was on its way, done where the focus is now.
  const replay = () => {
    while (ahead.length && !afterSave && !turning) {
      const stroke = ahead.shift();
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
  };

  // The Vietnamese layout of Windows writes ă, â, ê … on the row of digits: there the place of the key counts.
  const meaning = (event) => {
    const row = /^(?:Digit|Numpad)([0-9])$/.exec(event.code);
    if (row && !event.shiftKey && !"0123456789/*+".includes(event.key)) return row[1];
    return event.key;
  };

  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229) return; // an input method is at work: every key is its own
    if ((event.key === "F5" || (event.ctrlKey && event.key.toLowerCase() === "r")) && dirtyForms().length && !silent) {
      event.preventDefault();
      leave(() => location.reload());
      return;
    }
    if (event.ctrlKey || event.altKey || event.metaKey) {
      if (event.ctrlKey && event.key === "Enter" && event.target.matches("textarea")) {
        event.target.setRangeText("\n", event.target.selectionStart, event.target.selectionEnd, "end");
        touch(event.target.closest(".question"));
      }
      return;
    }
    if (event.key === "F3") {
      event.preventDefault();
      flagHere();
      return;
    }
    if (event.key === "F7" && document.querySelector("[data-turn]")) {
      event.preventDefault();
      document.querySelector("[data-turn]").click();
      return;
    }
    if (event.key === "F8") {
      event.preventDefault();
      const other = document.querySelector(".tongues button[aria-pressed=false]");
      if (other) other.click();
      return;
    }
    const form = event.target.closest(".question");
    if (event.key === "Escape") {
      event.preventDefault();
      if (form && form.querySelector(".ask-first")) {
        answerAsk(form, "Escape");
        return;
      }
      const rail = document.querySelector("#rail [aria-current]");
      if (event.target.closest("#rail")) focusQuestion(byId(lastQuestion) || questions()[0] || sheet);
      else if (rail) rail.focus();
      return;
    }
    if (event.target.closest("#rail") && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      const links = [...document.querySelectorAll("#rail a")];
      const place = links.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : -1);
      if (links[place]) links[place].focus();
      return;
    }
    if (!form && !turning) return;
    const stroke = { key: meaning(event), raw: event.key, shift: event.shiftKey };
    // Backspace too: input methods of Windows write a letter with its mark by taking the bare letter away first.
    const waits = stroke.raw.length === 1 || ["Enter", "Backspace"].includes(stroke.key) || stroke.key.startsWith("Arrow");
    if ((afterSave || turning) && waits) {
      event.preventDefault();
      ahead.push(stroke);
      return;
    }
    if (act(event.target, stroke)) event.preventDefault();
  });

  // What an input method writes without a key of its own waits in the same line.
  document.addEventListener("beforeinput", (event) => {
    if (!(afterSave || turning) || event.isComposing || event.inputType !== "insertText" || !event.data) return;
    event.preventDefault();
    ahead.push({ key: event.data, raw: event.data, shift: false, written: true });
  });

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

  // F3 marks the question that has the focus (or had it last) to come back to.
  const flagHere = () => {
    const form = byId(current || lastQuestion);
    const path = form && form.querySelector("[name=question]");
    if (!path) return;
    byId("flag-question").value = path.value;
    htmx.trigger(byId("flag"), "save");
  };
  document.addEventListener("mousedown", (event) => event.target.closest("#flag-turn") && event.preventDefault());
  document.addEventListener("click", (event) => event.target.closest("#flag-turn") && flagHere());

  // -- buttons, links and forms of the page ------------------------------------------------------------------------

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (button) {
      const form = button.closest(".question");
      if (button.dataset.do === "rethink") focusQuestion(form);
      if (button.dataset.do === "change") saveThen(form, "confirm", () => move(form.id, 1));
      if (button.dataset.do === "keep") {
        note(form).settled = note(form).tick;
        afterSave = { id: form.id, go: () => byId(form.id) && focusQuestion(byId(form.id)) };
        save(form, "keep");
      }
      return;
    }
    const link = event.target.closest("a[href]");
    if (!link || event.button || event.ctrlKey || event.shiftKey || event.metaKey || link.target) return;
    if (!dirtyForms().length) return;
    event.preventDefault();
    leave(() => location.assign(link.href));
  });

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches(".question")) {
      event.preventDefault();
      return;
    }
    const place = form.querySelector("[name=next]");
    if (place && form.closest(".tongues")) {
      place.value = location.pathname + (current ? `?at=${current.slice(2)}` : "");
    }
    if (!dirtyForms().length) return;
    event.preventDefault();
    leave(() => form.requestSubmit(event.submitter));
  });

  // This window takes the interview back from another one: its unsaved answers first, then the page anew.
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.requestConfig.elt.id !== "take-over" || !event.detail.successful) return;
    leave(() => location.reload());
  });

  // -- where to begin ----------------------------------------------------------------------------------------------

  const start = () => {
    const first = byId(byId("lease").dataset.start);
    // What stands above the first question is to be read out first: the page begins at its top when both fit.
    if (first && isShown(first)) focusQuestion(first, "nearest");
    else if (byId("onward")) byId("onward").focus();
    const step = document.querySelector("#rail [aria-current]");
    if (step) step.scrollIntoView({ block: "nearest" });
  };
  start();
})();

/* The comment at a question: F9 or its button opens a small box at the question that had the focus last. The same box
   asks why an unusual answer stays, from the button of a soft check. It is sent while someone writes and once more when the box is closed; the box stays open until the words are on disk. */
"use strict";

(() => {
  const box = document.getElementById("comment");
  if (!box) return;

  const PAUSE = Number(document.getElementById("interview").dataset.autosave);
  const LONGEST = 1000; // whoever writes without a pause is saved at least once a second
  const RETRY = 1000;
  const form = document.getElementById("comment-form");
  const text = document.getElementById("comment-text");
  const byId = (id) => (id ? document.getElementById(id) : null);
  let here = null; // ids of the question and of the element in it that had the focus last
  let tick = 0; // how often the text was touched, sent and known to be on disk
  let sent = 0;
  let settled = 0;
  let closing = false;
  let timer = 0;
  let waiting = 0; // since when something typed has not been sent

  document.addEventListener("focusin", (event) => {
    const question = event.target.closest(".question");
    if (question) here = { question: question.id, focus: event.target.id };
  });

  const say = (words) => {
    const state = document.createElement("span");
    state.className = "state not";
    state.textContent = words;
    byId("comment-state").replaceChildren(...(words ? [state] : []));
  };

  const save = () => {
    clearTimeout(timer);
    waiting = 0;
    sent = tick;
    htmx.trigger(form, "save");
  };

  const open = (kind) => {
    const question = byId(here && here.question);
    const path = question && question.querySelector("[name=question]");
    if (!path || box.open || question.querySelector(".ask-first")) return;
    const words = question.querySelector(kind === "reason" ? ".kept" : ".comment p");
    byId("comment-question").value = path.value;
    byId("comment-kind").value = kind;
    byId("comment-title").textContent = byId("comment-title").dataset[kind];
    byId("comment-about").textContent = question.querySelector(".ask").textContent;
    text.value = words ? words.lastChild.textContent.trim() : "";
    say("");
    closing = false;
    settled = sent = tick;
    box.showModal();
    const place = question.getBoundingClientRect();
    const room = window.innerHeight - box.offsetHeight - 60;
    box.style.top = `${Math.max(60, Math.min(place.bottom, room))}px`;
    box.style.left = `${Math.max(0, place.left)}px`;
    text.setSelectionRange(text.value.length, text.value.length);
  };

  const close = () => {
    box.close();
    const question = byId(here.question);
    if (byId("comment-kind").value === "reason" && question && question.querySelector(".kept")) {
      // The doubt is settled: on to the next question, as Enter would.
      question.dispatchEvent(new CustomEvent("explained", { bubbles: true }));
      return;
    }
    const target = byId(here.focus) || (byId(here.question) || document).querySelector("input:not([type=hidden]), textarea, select");
    if (target) target.focus({ preventScroll: true });
  };

  const done = () => {
    if (tick === settled) {
      close();
      return;
    }
    closing = true;
    save();
  };

  text.addEventListener("input", () => {
    tick += 1;
    say(form.dataset.unsaved);
    waiting = waiting || performance.now();
    clearTimeout(timer);
    timer = setTimeout(save, Math.max(0, Math.min(PAUSE, waiting + LONGEST - performance.now())));
  });

  document.addEventListener("htmx:afterRequest", (event) => {
    const { xhr, successful, requestConfig: { elt } } = event.detail;
    if (elt.id === "comment-take" && successful) {
      closing = true;
      save();
      return;
    }
    if (elt !== form) return;
    const verdict = xhr.getResponseHeader("X-Answer");
    if (verdict === "saved") {
      settled = sent;
      if (tick !== settled) {
        say(form.dataset.unsaved);
        if (closing) save();
      } else if (closing) close();
      return;
    }
    closing = false;
    if (verdict) return; // the reply says in the box what is wrong
    say(form.dataset.failed);
    clearTimeout(timer);
    timer = setTimeout(() => box.open && save(), RETRY);
  });

  ["locking", "unlocked"].forEach((kind) =>
    document.addEventListener(kind, () => box.open && tick !== settled && save()));

  // The page is being closed with words in the box: they go out by a request that outlives it.
  window.addEventListener("pagehide", () => {
    if (!box.open || tick === settled) return;
    const body = new FormData(form);
    body.set("lease", byId("lease").value);
    const headers = { "X-CSRFToken": document.getElementById("interview").dataset.csrf, "HX-Request": "true" };
    fetch(form.getAttribute("hx-post"), { method: "POST", body, keepalive: true, headers }).catch(() => {});
  });

  // No key in the box may reach the page behind it, where digits answer questions.
  box.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229) return;
    event.stopPropagation();
    const reasoned = event.key === "Enter" && event.target === text && byId("comment-kind").value === "reason";
    if (event.key !== "F9" && event.key !== "Escape" && !reasoned) return;
    event.preventDefault();
    done();
  });
  box.addEventListener("cancel", (event) => {
    event.preventDefault();
    done();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    event.stopPropagation();
  });
  byId("comment-done").addEventListener("click", done);

  document.addEventListener("keydown", (event) => {
    if (event.key !== "F9" || event.isComposing) return;
    event.preventDefault();
    open("comment");
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-explain]");
    if (!button) return;
    here = { question: button.closest(".question").id, focus: "" };
    open("reason");
  });
  // The button leaves the focus where it is: the question it is about.
  byId("comment-open").addEventListener("mousedown", (event) => event.preventDefault());
  byId("comment-open").addEventListener("click", () => open("comment"));
})();

/* Long lists: type a few letters, see at most fifty lines, choose one by keyboard alone. The server searches, so that
   a list of thousands never lies in the page. While an input method composes, no key is touched. */
"use strict";

(() => {
  const sheet = document.getElementById("sheet");
  if (!sheet) return;

  const WAIT = 80; // milliseconds after the last letter
  let timer = 0;
  let asked = 0; // number of the last search sent
  let shown = 0; // number of the last search whose lines are on the page
  let chooseFirst = false; // Enter came before the lines did

  const isFinder = (element) => element instanceof Element && element.matches("[data-find]");
  const listOf = (box) => document.getElementById(box.getAttribute("aria-controls"));
  const lines = (box) => [...listOf(box).querySelectorAll("[role=option]:not([aria-disabled])")];
  const activeOf = (box) => document.getElementById(box.getAttribute("aria-activedescendant"));
  const isOpen = (box) => !listOf(box).hidden;
  const form = (box) => box.closest(".question");
  const several = (box) => form(box).querySelector("template");

  const mark = (box, line) => {
    lines(box).forEach((one) => one.classList.toggle("active", one === line));
    if (line) {
      box.setAttribute("aria-activedescendant", line.id);
      line.scrollIntoView({ block: "nearest" });
    } else box.removeAttribute("aria-activedescendant");
  };

  const close = (box) => {
    clearTimeout(timer);
    asked += 1;
    shown = asked;
    chooseFirst = false;
    const list = listOf(box);
    if (list) list.hidden = true;
    box.setAttribute("aria-expanded", "false");
    box.removeAttribute("aria-activedescendant");
  };

  const search = async (box, letters) => {
    asked += 1;
    const mine = asked;
    const query = new URLSearchParams({ q: letters, list: listOf(box).id });
    const reply = await fetch(`${box.dataset.find}&${query}`).catch(() => null);
    if (mine !== asked || !box.isConnected) return;
    shown = mine;
    if (!reply || !reply.ok) {
      chooseFirst = false;
      return;
    }
    const text = await reply.text();
    if (mine !== asked) return;
    listOf(box).innerHTML = text;
    listOf(box).hidden = false;
    box.setAttribute("aria-expanded", "true");
    const standing = lines(box).find((line) => line.getAttribute("aria-selected") === "true");
    mark(box, letters ? lines(box)[0] : standing || lines(box)[0]);
    listOf(box).scrollIntoView({ block: "nearest" });
    if (chooseFirst && lines(box).length) choose(box, activeOf(box) || lines(box)[0]);
    chooseFirst = false;
  };

  const choose = (box, line) => {
    if (!line || line.hasAttribute("aria-disabled")) return;
    const { value } = line.dataset;
    const words = line.textContent;
    close(box);
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
    close(box);
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
    clearTimeout(timer);
    timer = setTimeout(() => search(box, box.value), WAIT);
    shown = -1;
  }, true);

  document.addEventListener("change", (event) => {
    if (isFinder(event.target)) event.stopPropagation();
  }, true);

  const STEPS = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 };

  document.addEventListener("keydown", (event) => {
    const box = event.target;
    if (!isFinder(box) || event.isComposing || event.keyCode === 229) return;
    if (event.ctrlKey || event.altKey || event.metaKey) return;
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
      const all = lines(box);
      const place = all.indexOf(activeOf(box)) + STEPS[event.key];
      mark(box, all[Math.max(0, Math.min(all.length - 1, place))]);
    } else if (event.key === "Enter" && !event.shiftKey) {
      const typed = box.value.trim() !== "" && box.value !== (box.dataset.words || "");
      if (typed && shown !== asked) {
        taken();
        clearTimeout(timer);
        chooseFirst = true;
        search(box, box.value);
      } else if (isOpen(box) && activeOf(box)) {
        taken();
        choose(box, activeOf(box));
      }
    } else if (event.key === "Escape" && isOpen(box)) {
      taken();
      close(box);
      if (box.dataset.words) box.value = box.dataset.words;
    }
  }, true);

  document.addEventListener("mousedown", (event) => {
    if (event.target instanceof Element && event.target.closest(".found")) event.preventDefault(); // the box keeps the focus
  });

  document.addEventListener("click", (event) => {
    const line = event.target instanceof Element && event.target.closest(".found [role=option]");
    if (line) choose(document.getElementById(line.parentElement.id.replace(/-list$/, "-find")), line);
    else if (isFinder(event.target) && !isOpen(event.target)) search(event.target, "");
  });

  document.addEventListener("focusout", (event) => {
    if (isFinder(event.target)) leave(event.target);
  });
})();

/* A box in which agencies are typed, or chosen from the list: a few letters, no diacritics needed, arrows and Enter.
   What the list does not have may stay as it was typed. Several are separated by ";": the last one is searched. */
"use strict";

(() => {
  const WAIT = 80; // milliseconds after the last letter
  let timer = 0;
  let asked = 0;

  const isBox = (element) => element instanceof Element && element.matches("[data-agencies]");
  const listOf = (box) => document.getElementById(box.getAttribute("aria-controls"));
  const lines = (box) => [...listOf(box).querySelectorAll("[role=option]:not([aria-disabled])")];
  const activeOf = (box) => document.getElementById(box.getAttribute("aria-activedescendant"));
  const several = (box) => box.hasAttribute("data-several");
  const before = (box) => (several(box) ? box.value.slice(0, box.value.lastIndexOf(";") + 1) : "");

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
    listOf(box).hidden = true;
    box.setAttribute("aria-expanded", "false");
    box.removeAttribute("aria-activedescendant");
  };

  const search = async (box, open) => {
    asked += 1;
    const mine = asked;
    const letters = box.value.slice(before(box).length).trim();
    if (!letters && !open) {
      close(box);
      return;
    }
    const query = new URLSearchParams({ q: letters, list: listOf(box).id });
    const reply = await fetch(`${box.dataset.agencies}&${query}`).catch(() => null);
    const text = reply && reply.ok ? await reply.text() : "";
    if (mine !== asked || !text) return;
    listOf(box).innerHTML = text;
    listOf(box).hidden = false;
    box.setAttribute("aria-expanded", "true");
    mark(box, open ? lines(box)[0] : null); // what was typed stands until a line is gone to
  };

  const choose = (box, line) => {
    const kept = before(box);
    box.value = `${kept}${kept ? " " : ""}${line.textContent}${several(box) ? "; " : ""}`;
    close(box);
  };

  document.addEventListener("input", (event) => {
    const box = event.target;
    if (!isBox(box)) return;
    clearTimeout(timer);
    timer = setTimeout(() => search(box, false), WAIT);
  });

  const STEPS = { ArrowDown: 1, ArrowUp: -1 };

  document.addEventListener("keydown", (event) => {
    const box = event.target;
    if (!isBox(box) || event.isComposing || event.keyCode === 229) return;
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const isOpen = !listOf(box).hidden;
    if (event.key in STEPS) {
      event.preventDefault();
      if (!isOpen) {
        search(box, true);
        return;
      }
      const all = lines(box);
      const place = all.indexOf(activeOf(box)) + STEPS[event.key];
      mark(box, all[Math.max(0, Math.min(all.length - 1, place))]);
    } else if (event.key === "Enter" && isOpen && activeOf(box)) {
      event.preventDefault();
      choose(box, activeOf(box));
    } else if (event.key === "Escape" && isOpen) {
      event.preventDefault();
      close(box);
    }
  });

  document.addEventListener("mousedown", (event) => {
    if (event.target instanceof Element && event.target.closest(".found")) event.preventDefault(); // the box keeps the focus
  });

  document.addEventListener("click", (event) => {
    const line = event.target instanceof Element && event.target.closest(".found [role=option]:not([aria-disabled])");
    if (line) choose(document.querySelector(`[aria-controls="${line.parentElement.id}"]`), line);
  });

  document.addEventListener("focusout", (event) => {
    if (isBox(event.target)) close(event.target);
  });
})();

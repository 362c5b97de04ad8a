/* The review page, which may come by itself after the last answer: an Enter that was meant for that answer, or a key that
   is held down, seals nothing. */
"use strict";

(() => {
  const HABIT = 700;
  const opened = performance.now();
  document.addEventListener(
    "keydown",
    (event) => {
      const early = event.target.closest("#onward") && performance.now() - opened < HABIT;
      if (event.key === "Enter" && (event.repeat || early)) event.preventDefault();
    },
    true,
  );
})();

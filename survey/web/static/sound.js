/* Recorded questions: F4 plays the recording of the question that has the focus, then those of its answers; F4 again
   stops. One key, so that an enumerator who does not speak the language can still have the question asked. */
"use strict";

(() => {
  const sheet = document.getElementById("sheet");
  if (!sheet) return;
  const player = new Audio();
  let waiting = [];

  const stop = () => {
    waiting = [];
    player.pause();
    sheet.querySelectorAll(".playing").forEach((one) => one.classList.remove("playing"));
  };

  const next = () => {
    sheet.querySelectorAll(".playing").forEach((one) => one.classList.remove("playing"));
    const piece = waiting.shift();
    if (!piece) return;
    (piece.closest(".choice") || piece).classList.add("playing");
    player.src = piece.dataset.sound;
    player.play().catch(stop);
  };

  player.addEventListener("ended", next);
  player.addEventListener("error", next);

  const play = (form) => {
    if (!player.paused && !player.ended) {
      stop();
      return;
    }
    waiting = form ? [...form.querySelectorAll("[data-sound]")] : [];
    next();
  };

  // The question that has the focus; a note before it is read with it when it has no recording of its own.
  const here = () => {
    const form = document.activeElement && document.activeElement.closest(".question");
    if (form && form.querySelector("[data-sound]")) return form;
    const before = form && form.previousElementSibling;
    return before && before.matches(".note-only") ? before : form;
  };

  document.addEventListener("keydown", (event) => {
    if (event.key !== "F4" || event.isComposing || event.altKey || event.ctrlKey) return;
    event.preventDefault();
    play(here());
  });

  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element && event.target.closest("button[data-sound]");
    if (button) play(button.closest(".question"));
  });
})();

/* The page on which a person answers alone: a digit or sign fills the button that bears it, Enter goes on. */
"use strict";

(() => {
  const form = document.getElementById("alone");
  if (!form) return;
  const begun = performance.now();
  const inputs = [...form.querySelectorAll("[data-key]")];

  const settle = (input) => {
    const missing = "missing" in input.dataset;
    if (!input.checked) return;
    inputs.forEach((other) => {
      if (other !== input && (missing || "missing" in other.dataset)) other.checked = false;
    });
    const box = document.getElementById("box");
    if (missing && box) box.value = "";
  };

  form.addEventListener("change", (event) => "key" in event.target.dataset && settle(event.target));
  form.addEventListener("submit", () => {
    form.elements.ms.value = Math.round(performance.now() - begun);
  });
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.target.matches("input[type=text], input[type=password]")) return;
    const input = inputs.find((one) => one.dataset.key === event.key);
    if (input) {
      event.preventDefault();
      input.checked = input.type === "radio" || !input.checked;
      settle(input);
      input.focus();
    } else if (event.key === "Enter" && !event.target.closest("a, button, summary, .return")) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  // Coming back by the browser's own button shows the page anew, without what was chosen.
  window.addEventListener("pageshow", (event) => event.persisted && location.reload());
  (document.getElementById("box") || inputs[0] || form.querySelector("button")).focus();
})();

/* Choosing between versions with the keyboard alone. A whole version marks every row; Enter goes on to the next row and
   at the end to the reason. Without this script everything can still be chosen: rows left open follow the whole version. */
"use strict";

const form = document.getElementById("settle");

form.addEventListener("change", (event) => {
  if (event.target.name !== "whole") return;
  for (const choice of form.querySelectorAll('input[name^="row."]')) choice.checked = choice.value === event.target.value;
});

form.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.target.type !== "radio") return;
  event.preventDefault();
  // Enter chooses what is focused, as on the pages of the interview, before it goes on.
  if (!event.target.checked) event.target.click();
  const names = [...new Set([...form.querySelectorAll('input[type="radio"]')].map((choice) => choice.name))];
  const next = names[names.indexOf(event.target.name) + 1];
  const choices = next ? [...form.querySelectorAll('input[type="radio"]')].filter((choice) => choice.name === next) : [];
  (choices.find((choice) => choice.checked) || choices[0] || document.getElementById("reason")).focus();
});

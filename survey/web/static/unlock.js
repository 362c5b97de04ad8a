"use strict";
// Vietnamese keyboards change what is typed: a person must be able to see it.
const box = document.getElementById("show");
box.closest("div").hidden = false;
box.addEventListener("change", () => {
  const field = document.getElementById("passphrase");
  field.type = box.checked ? "text" : "password";
  field.focus();
});

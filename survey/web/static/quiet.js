/* Browser storage holds nothing: htmx would note the page's address there, so it is given none. Loaded before htmx. */
"use strict";

for (const name of ["localStorage", "sessionStorage"]) {
  Object.defineProperty(window, name, { value: undefined });
}

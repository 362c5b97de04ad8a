/* A ranking by its numbers: an item that is pressed takes the next place, one that is taken out closes the gap, and the
   last item that is left takes the last place by itself. interview.js asks with the event "ranking" and reads in its
   detail whether every item has a place now (whole) or none has (none). */
"use strict";

document.addEventListener("ranking", (event) => {
  const box = event.target.querySelector(".ranks");
  if (!box) return;
  const items = [...box.querySelectorAll("[data-rank]")];
  const place = (item) => Number(item.dataset.at) || Infinity;
  const left = items.filter((item) => !item.checked);
  if (event.detail.input && event.detail.input.checked && left.length === 1) left.pop().checked = true;
  const order = items.filter((item) => item.checked).sort((a, b) => place(a) - place(b) || 0);
  const pressed = order.indexOf(event.detail.input);
  if (pressed >= 0 && !event.detail.input.dataset.at) {
    // Before the item that was left over, which has no place yet either.
    order.splice(pressed, 1);
    order.splice(order.filter((item) => item.dataset.at).length, 0, event.detail.input);
  }
  items.forEach((item) => {
    const at = order.indexOf(item) + 1 || "";
    item.dataset.at = at;
    item.value = `${item.dataset.rank}=${at}`;
    item.closest("label").querySelector(".place").textContent = at ? `${box.dataset.place} ${at}` : "";
  });
  event.detail.whole = order.length === items.length;
  event.detail.none = !order.length;
});

/* Leaving the page: what is not on disk yet goes there first, by a request that outlives the page when nobody waits. */
import { byId, dirtyForms, note, notes, now, page, spend } from "./page.js";
import { leave } from "./saving.js";

const sendAway = (url, body) => {
  const headers = { "X-CSRFToken": page.dataset.csrf, "HX-Request": "true" };
  fetch(url, { method: "POST", body, keepalive: true, headers }).catch(() => {});
};

/** The time that was spent at questions whose answer stays as it is, which no save has told. */
export const sendTimes = () => {
  const body = new FormData();
  if (byId(now.current)) spend(byId(now.current));
  notes.forEach((mine, id) => {
    const path = byId(id) && byId(id).querySelector("[name=question]");
    if (path && mine.spent >= 200) {
      body.append("question", path.value);
      body.append("ms", Math.round(mine.spent));
      mine.spent = 0;
    }
  });
  if (body.has("question")) sendAway(page.dataset.times, body);
};

// Whatever is still in a box goes out before the next page is asked for, which takes the right to write away from this.
const sendOff = () => {
  dirtyForms().forEach((form) => {
    const mine = note(form);
    if (mine.parted === mine.tick) return;
    mine.parted = mine.tick;
    const body = new FormData(form);
    body.set("lease", byId("lease").value);
    body.set("why", "parting");
    spend(form);
    body.set("ms", Math.round(mine.spent));
    mine.spent = 0;
    sendAway(form.getAttribute("hx-post"), body);
  });
  sendTimes();
};
window.addEventListener("beforeunload", sendOff);
window.addEventListener("pagehide", sendOff);
window.addEventListener("beforeunload", (event) => {
  // A file is too large to be sent on leaving; and nothing arrives while the program does not answer.
  const file = dirtyForms().some((form) => form.querySelector("input[type=file]"));
  if (file || (now.silent && dirtyForms().length)) event.preventDefault();
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  if (!link || event.target.closest("[data-do]") || link.target) return;
  if (event.button || event.ctrlKey || event.shiftKey || event.metaKey) return;
  if (!dirtyForms().length) return;
  event.preventDefault();
  leave(() => location.assign(link.href));
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.matches(".question")) {
    event.preventDefault();
    return;
  }
  const place = form.querySelector("[name=next]");
  if (place && form.closest(".tongues")) {
    place.value = location.pathname + (now.current ? `?at=${now.current.slice(2)}` : "");
  }
  if (!dirtyForms().length) return;
  event.preventDefault();
  leave(() => form.requestSubmit(event.submitter));
});

// This window takes the interview back from another one: its unsaved answers first, then the page anew.
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.requestConfig.elt.id !== "take-over" || !event.detail.successful) return;
  leave(() => location.reload());
});

/* The lock: after some minutes without a key, or by its button, the page is covered until the PIN is given. What stands
   on the page stays there; the server takes no answer meanwhile. */
"use strict";

(() => {
  const lock = document.getElementById("lock");
  if (!lock) return;

  const form = document.getElementById("lock-form");
  const pin = document.getElementById("lock-pin");
  const said = document.getElementById("lock-said");
  const headers = { "X-CSRFToken": lock.dataset.csrf, "HX-Request": "true" };
  let timer = 0;
  let before = null; // what had the focus

  const cover = () => {
    if (lock.open) return;
    clearTimeout(timer);
    before = document.activeElement;
    said.hidden = true;
    pin.value = "";
    lock.showModal();
    pin.focus();
  };

  const lockNow = () => {
    // Everything that was typed goes to the disk first; what does not get there in time stays on the page.
    document.dispatchEvent(new CustomEvent("locking"));
    cover();
    fetch(lock.dataset.lock, { method: "POST", headers, keepalive: true }).catch(() => {});
  };

  const rest = () => {
    clearTimeout(timer);
    if (!lock.open) timer = setTimeout(lockNow, Number(lock.dataset.idle));
  };
  ["keydown", "pointerdown", "input"].forEach((kind) => document.addEventListener(kind, rest, true));
  rest();

  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.xhr.getResponseHeader("X-Answer") === "locked") cover();
  });
  document.getElementById("lock-now").addEventListener("click", lockNow);

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    event.stopPropagation();
    const body = new FormData(form);
    pin.value = "";
    fetch(form.action, { method: "POST", headers, body }).then(
      async (reply) => {
        if (reply.status === 204) {
          lock.close();
          if (before && before.isConnected) before.focus({ preventScroll: true });
          rest();
          document.dispatchEvent(new CustomEvent("unlocked"));
          return;
        }
        said.hidden = false;
        said.firstElementChild.textContent = await reply.text();
        pin.focus();
      },
      () => {
        said.hidden = false;
        said.firstElementChild.textContent = lock.dataset.silent;
      },
    );
  });

  // No key may reach the page behind, and no key but the PIN opens it.
  lock.addEventListener("keydown", (event) => event.stopPropagation());
  lock.addEventListener("cancel", (event) => event.preventDefault());
})();

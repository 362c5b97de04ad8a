/* Files as answers. A photograph is made smaller before it is sent: a stick then holds a day's work, and what the camera
   wrote into it about place and time stays behind. What cannot be read as a picture is sent as it is; the server says
   what is wrong with it. */
"use strict";

(() => {
  const sheet = document.getElementById("sheet");
  if (!sheet) return;
  const made = new WeakSet(); // pictures that this page has made smaller

  const smaller = async (file, most) => {
    const picture = await createImageBitmap(file);
    const scale = Math.min(1, most / Math.max(picture.width, picture.height));
    if (scale === 1 && file.size < 1 << 20) return file;
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(picture.width * scale));
    canvas.height = Math.max(1, Math.round(picture.height * scale));
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    picture.close();
    const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.85));
    return blob ? new File([blob], "image.jpg", { type: "image/jpeg" }) : file;
  };

  document.addEventListener("change", async (event) => {
    const box = event.target;
    if (!(box instanceof Element) || !box.matches("input[type=file][data-pixels]")) return;
    const [file] = box.files;
    if (!file || made.has(file)) return;
    event.stopPropagation();
    const ready = await smaller(file, Number(box.dataset.pixels) || 2048).catch(() => file);
    made.add(ready);
    const line = new DataTransfer();
    line.items.add(ready);
    made.add(line.files[0]);
    box.files = line.files;
    made.add(box.files[0]);
    box.dispatchEvent(new Event("change", { bubbles: true }));
  }, true);

  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element && event.target.closest("[data-drop]");
    if (!button) return;
    const form = button.closest(".question");
    form.querySelector("[data-picked]").value = "";
    form.querySelector("input[type=file]").value = "";
    form.dispatchEvent(new CustomEvent("picked", { bubbles: true, detail: { onward: false } }));
  });
})();

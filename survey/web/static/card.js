/* The show card: F2 or its button turns the screen into the answers of the question that had the focus last, in large
   type, for the respondent to read. Nothing on it can be pressed but the way back. */
"use strict";

(() => {
  const card = document.getElementById("card");
  if (!card) return;

  const list = document.getElementById("card-answers");
  const byId = (id) => (id ? document.getElementById(id) : null);
  let here = null; // ids of the question and of the element in it that had the focus last

  document.addEventListener("focusin", (event) => {
    const question = event.target.closest(".question");
    if (question) here = { question: question.id, focus: event.target.id };
  });

  const line = (key, words) => {
    const item = document.createElement("li");
    const code = document.createElement("b");
    const label = document.createElement("span");
    code.textContent = key;
    label.textContent = words;
    item.replaceChildren(...(key && key !== words ? [code, label] : [label]));
    return item;
  };

  // Only what a person is to choose from: "don't know" and "refused" are the enumerator's keys, not answers to offer.
  const answers = (question) => {
    const buttons = [...question.querySelectorAll("input[name=value][data-key]")];
    if (buttons.length) {
      return buttons.map((input) => {
        const words = input.closest("label").querySelector("span");
        const key = input.dataset.key;
        return line(key, words ? words.textContent : input.getAttribute("aria-label").slice(key.length).trim());
      });
    }
    const ranked = [...question.querySelectorAll(".ranks span")].map((item) => line("", item.textContent));
    if (ranked.length) return ranked;
    return [...question.querySelectorAll("select option")].filter((o) => o.value).map((o) => line("", o.textContent));
  };

  const open = () => {
    const question = byId(here && here.question);
    const lines = question ? answers(question) : [];
    if (!lines.length || card.open || question.querySelector(".ask-first")) return;
    list.replaceChildren(...lines);
    list.className = lines.length <= 6 ? "few" : lines.length <= 10 ? "some" : "many";
    card.showModal();
    card.scrollTop = 0;
  };

  const close = () => {
    card.close();
    const target = byId(here.focus);
    if (target) target.focus({ preventScroll: true });
  };

  // No key on the card may reach the page behind it, where digits answer questions.
  card.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key !== "F2" && event.key !== "Escape") return;
    event.preventDefault();
    close();
  });
  card.addEventListener("cancel", (event) => {
    event.preventDefault();
    close();
  });
  byId("card-close").addEventListener("click", close);

  document.addEventListener("keydown", (event) => {
    if (event.key !== "F2" || event.isComposing) return;
    event.preventDefault();
    open();
  });
  const button = byId("card-open");
  if (button) {
    // The button leaves the focus where it is: the question it is about.
    button.addEventListener("mousedown", (event) => event.preventDefault());
    button.addEventListener("click", open);
  }
})();

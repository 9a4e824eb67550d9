// Keys pressed before the page's modules are there. No module itself, so that it runs before them all.
//
// What is typed after Ctrl+K belongs into the search, not into the draft: it opens at once, and
// search.js begins with what it finds there. Once keys.js hears the keys, nothing is left for this.
// A message that is sent stays as it is in the composer (data-early), which sends it when it is there.
"use strict";

addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.altKey || !(event.ctrlKey || event.metaKey)) return;
  const search = document.getElementById("search");
  const key = event.key.toLowerCase();
  if (key === "k" && search) {
    event.preventDefault();
    if (!document.querySelector("dialog[open]")) search.showModal();
  } else if (key === "o" && event.shiftKey) {
    event.preventDefault();
    location.assign("/");
  }
});

const early = ({ target }) => target.closest("form[data-early]");

addEventListener("input", (event) => {
  const form = early(event);
  if (form) form.elements.send.disabled = !form.elements.draft.value.trim();
});

addEventListener("keydown", (event) => {
  const { target, key, ctrlKey, metaKey, shiftKey, altKey, isComposing, keyCode } = event;
  if (!early(event) || target.id !== "draft" || key !== "Enter" || isComposing || keyCode === 229) return;
  const meant = ctrlKey || metaKey || !(shiftKey || matchMedia("(pointer: coarse)").matches);
  if (!meant || altKey) return;
  event.preventDefault();
  target.form.requestSubmit();
});

addEventListener("submit", (event) => {
  const form = early(event);
  if (!form) return;
  event.preventDefault();
  const { draft } = form.elements;
  if (!draft.value.trim()) return;
  draft.readOnly = true;
  form.dataset.early = "sent";
});

// Keys pressed before the page's modules are there. No module itself, so that it runs before them all.
//
// What is typed after Ctrl+K belongs into the search, not into the draft: it opens at once, and
// search.js begins with what it finds there. Once keys.js hears the keys, nothing is left for this.
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

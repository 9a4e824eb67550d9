// The panel of Ctrl+K: finds chats by the words in their titles and messages, while they are typed.

import { fragment } from "./html.js";
import { _ } from "./words.js";

const PAUSE = 150;

export class Search {
  #dialog;
  #form;
  #found;
  #wait = 0;
  #asked = new AbortController();

  constructor(dialog) {
    this.#dialog = dialog;
    this.#form = dialog.querySelector("form");
    this.#found = dialog.querySelector(".found");
    this.#form.addEventListener("submit", (event) => this.#go(event));
    this.#form.elements.q.addEventListener("input", () => this.#typed());
    dialog.addEventListener("keydown", (event) => this.#key(event));
    for (const link of document.querySelectorAll("a[data-opens=search]")) {
      link.addEventListener("click", (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        this.open();
      });
    }
    if (dialog.open) this.#ask(); // early.js has opened it
  }

  open() {
    this.#dialog.showModal();
    this.#form.elements.q.select();
    this.#ask();
  }

  #typed() {
    clearTimeout(this.#wait);
    this.#wait = setTimeout(() => this.#ask(), PAUSE);
  }

  // Only the newest answer is shown.
  async #ask() {
    clearTimeout(this.#wait);
    this.#asked.abort();
    const { signal } = this.#asked = new AbortController();
    const url = `${this.#form.action}?q=${encodeURIComponent(this.#form.elements.q.value)}`;
    try {
      const response = await fetch(url, { signal });
      const page = fragment(await response.text());
      this.#found.replaceChildren(...page.querySelector("#found").children);
    } catch (fault) {
      if (fault.name === "AbortError") return;
      this.#found.textContent = _("The search could not be made. Try again.");
    }
  }

  // Enter opens the first that is found, once it is what was asked for.
  async #go(event) {
    event.preventDefault();
    await this.#ask();
    this.#found.querySelector("a")?.click();
  }

  #key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || event.isComposing) return;
    event.preventDefault();
    const places = [this.#form.elements.q, ...this.#found.querySelectorAll("a")];
    const at = places.indexOf(document.activeElement);
    places[Math.max(0, Math.min(at + step, places.length - 1))].focus();
  }
}

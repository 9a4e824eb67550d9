// The list goes on: the next page comes when its link is pressed or scrolled to.

import { fragment } from "./html.js";

export class Older {
  #box;
  #add;
  #seen = new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting)) this.#load();
  }, { rootMargin: "200px" });

  // add(rows): put these rows into the list
  constructor(box, add) {
    this.#box = box;
    this.#add = add;
    box.addEventListener("click", (event) => {
      if (!event.target.closest(".older")) return;
      event.preventDefault();
      this.#load();
    });
    this.#watch();
  }

  get #link() {
    return this.#box.querySelector(".older");
  }

  #watch() {
    if (this.#link) this.#seen.observe(this.#link);
  }

  async #load() {
    const link = this.#link;
    this.#seen.disconnect();
    const response = await fetch(link.href).catch(() => null);
    if (!response?.ok) return; // the link is still there to be pressed
    const page = fragment(await response.text());
    this.#add(page.querySelectorAll("#rows .chat-row"));
    const next = page.querySelector("#rows .older");
    if (next) link.replaceWith(next);
    else link.remove();
    this.#watch();
  }
}

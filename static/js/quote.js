// What the draft would cost, asked when typing pauses; a newer question cancels the older one.

import { post } from "./post.js";

const PAUSE = 400;
const count = new Intl.NumberFormat("en");

export class Quote {
  #box;
  #url;
  #draft;
  #timer = 0;
  #request = null;
  blocked = "";

  // draft(): what POST /quote/ wants, or null when there is nothing to ask for
  constructor(box, url, draft) {
    this.#box = box;
    this.#url = url;
    this.#draft = draft;
  }

  ask() {
    this.cancel();
    if (this.#draft()) this.#timer = setTimeout(() => this.#fetch(), PAUSE);
    else this.#show("");
  }

  // The draft is on its way, or another one: what was asked of it does not matter any more.
  cancel() {
    clearTimeout(this.#timer);
    this.#request?.abort();
    this.blocked = "";
  }

  async #fetch() {
    const request = this.#request = new AbortController();
    try {
      const quote = await post(this.#url, this.#draft(), { signal: request.signal });
      if (request === this.#request) this.#price(quote);
    } catch (fault) {
      if (!request.signal.aborted) this.#show(fault.message, "red");
    }
  }

  #price({ tokens, cached, price, at_most, approximate, blocked, shortened, level }) {
    this.blocked = blocked;
    if (blocked) return this.#show(blocked, "red");
    const about = approximate ? "about " : "";
    const kept = cached ? ` (${count.format(cached)} cached)` : "";
    const words = `${about}${count.format(tokens)} in${kept} · ${about}${price} · at most ${at_most}`;
    return this.#show(shortened ? `${words}, ${shortened}` : words, level);
  }

  #show(text, level = "ok") {
    this.#box.textContent = text;
    this.#box.dataset.level = level;
  }
}

// What the draft would cost, asked when typing pauses; a newer question cancels the older one.

import { post } from "./post.js";
import { _, number } from "./words.js";

const PAUSE = 400;

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
    const about = (words) => (approximate ? _("about %(amount)s", { amount: words }) : words);
    const size = cached
      ? _("%(tokens)s in (%(cached)s cached)", { tokens: number(tokens), cached: number(cached) })
      : _("%(tokens)s in", { tokens: number(tokens) });
    const words = [about(size), about(price), _("at most %(amount)s", { amount: at_most })].join(" · ");
    return this.#show(shortened ? `${words}, ${shortened}` : words, level);
  }

  #show(text, level = "ok") {
    this.#box.textContent = text;
    this.#box.dataset.level = level;
  }
}

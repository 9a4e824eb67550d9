// The figures above the chat: what it has cost, how full the context is, how long it stays cached.

import { fragment } from "./html.js";
import { about, usd } from "./money.js";
import { ratesOf } from "./rates.js";
import { _, number } from "./words.js";

const CHARACTERS_PER_TOKEN = 3.5;
const PARTS = ["figures", "full"];
const by = (id) => document.getElementById(id);

export class Figures {
  #timer = 0;

  constructor() {
    this.#countDown();
  }

  // Ask the server anew, for the branch that ends with this message.
  async refresh(conversation, leaf) {
    if (!conversation) return;
    const at = leaf ? `?at=${leaf}` : "";
    const response = await fetch(`/c/${conversation}/figures/${at}`).catch(() => null);
    if (response?.ok) this.take(fragment(await response.text()));
  }

  // From a page, or a part of one, that the server rendered.
  take(page) {
    for (const id of PARTS) by(id).replaceWith(page.querySelector(`#${id}`));
    this.#countDown();
  }

  // What a reply that is being written comes to so far; its prompt is priced when it has ended.
  running(article, characters) {
    const model = document.querySelector(`#models input[value="${CSS.escape(article.dataset.model)}"]`);
    const tokens = Math.ceil(characters / CHARACTERS_PER_TOKEN);
    const rates = model && ratesOf(model.dataset, by("figures").dataset.tokens);
    const pusd = tokens * (rates?.output ?? 0);
    const out = _("about %(tokens)s out", { tokens: number(tokens) });
    article.querySelector(".running").textContent = pusd ? `${out} · ${about(pusd)}` : out;
    const spent = by("spent");
    spent.textContent = usd(Number((Number(spent.dataset.pusd) + pusd).toPrecision(3)));
    by("cost").hidden = !pusd && spent.dataset.pusd === "0";
  }

  #countDown() {
    clearInterval(this.#timer);
    const until = Date.parse(by("figures").dataset.until ?? "");
    const show = () => {
      const left = Math.ceil((until - Date.now()) / 1000);
      by("cached").hidden = !(left > 0);
      if (!(left > 0)) return clearInterval(this.#timer);
      const seconds = String(left % 60).padStart(2, "0");
      by("cached").querySelector("span").textContent = `${Math.floor(left / 60)}:${seconds}`;
      return undefined;
    };
    show();
    this.#timer = setInterval(show, 1000);
  }
}

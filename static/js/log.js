// The messages of the conversation: articles come from the server, live ones are kept going.

import { fragment } from "./html.js";
import { Reply } from "./reply.js";
import { wait } from "./waiting.js";

const PATIENCE = 400;

export class Log extends EventTarget {
  #box;
  #send;
  #replies = new Map();
  #wait = 0;

  constructor(box, send) {
    super();
    this.#box = box;
    this.#send = send;
    this.#adopt();
  }

  get live() {
    return this.#replies.values().next().value ?? null;
  }

  // The last message: what the next question answers.
  get leaf() {
    return this.#box.querySelector("article:last-of-type")?.dataset.id ?? null;
  }

  get lastQuestion() {
    return [...this.#box.querySelectorAll("article.user")].at(-1) ?? null;
  }

  has(gen) {
    return this.#box.querySelector(`article[data-gen="${CSS.escape(gen)}"]`) !== null;
  }

  hear(frame) {
    this.#keepFocus(() => this.#take(frame));
  }

  // Who was on a message that is gone goes on from the last one.
  #keepFocus(change) {
    const here = this.#box.contains(document.activeElement);
    change();
    const last = this.#box.querySelector("article:last-of-type");
    if (!here || !last || this.#box.contains(document.activeElement)) return;
    last.tabIndex = -1;
    last.focus({ preventScroll: true });
  }

  #take(frame) {
    if (frame.type === "message") this.#message(frame);
    else if (this.#replies.has(frame.gen)) this.#replies.get(frame.gen).hear(frame);
    else if (!this.has(frame.gen)) this.#missing(frame.gen);
  }

  // A reply without its article: the `message` frame is late or was lost.
  #missing(gen) {
    this.#wait ||= setTimeout(() => {
      this.#wait = 0;
      if (!this.has(gen)) this.refresh();
    }, PATIENCE);
  }

  resume() {
    for (const reply of this.#replies.values()) reply.resume();
  }

  // Take the messages anew from the server's page: what else changed while we were away?
  async refresh() {
    const response = await fetch(location.href).catch(() => null);
    if (!response?.ok) return;
    const page = fragment(await response.text());
    const fresh = page.querySelector("#log");
    if (!fresh) return;
    for (const reply of this.#replies.values()) reply.forget();
    this.#replies.clear();
    this.#keepFocus(() => this.#box.replaceChildren(...fresh.children));
    this.#adopt();
    this.resume();
    this.dispatchEvent(new CustomEvent("refreshed", { detail: page }));
  }

  #message({ message, parent, gen, html }) {
    if (this.has(gen)) return;
    this.#cutAfter(message, parent);
    this.#box.append(fragment(html));
    this.#adopt();
    this.dispatchEvent(new Event("asked"));
  }

  // A new branch takes the place of the old one: all from the question on, or all after its parent.
  #cutAfter(message, parent) {
    const articles = [...this.#box.children];
    const asked = articles.findIndex(({ dataset }) => dataset.id === message);
    const before = articles.findIndex(({ dataset }) => dataset.id === parent);
    for (const old of articles.slice(asked < 0 ? before + 1 : asked)) old.remove();
  }

  #adopt() {
    wait(this.#box);
    const live = this.#box.querySelectorAll("article:is([data-state=queued], [data-state=running])");
    for (const article of live) {
      if (!this.#replies.has(article.dataset.gen)) this.#follow(new Reply(article, this.#send));
    }
    this.dispatchEvent(new Event("changed"));
  }

  #follow(reply) {
    this.#replies.set(reply.gen, reply);
    reply.addEventListener("drawn", ({ detail }) => {
      this.dispatchEvent(new Event("grown"));
      this.dispatchEvent(new CustomEvent("written", { detail }));
    });
    reply.addEventListener("done", ({ detail }) => {
      this.#replies.delete(reply.gen);
      this.dispatchEvent(new CustomEvent("done", { detail }));
      this.dispatchEvent(new Event("changed"));
    });
  }
}

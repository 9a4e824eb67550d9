// One live reply on the page: finished blocks are appended once, the tail is plain text.

import { element, fragment } from "./html.js";
import { Stream } from "./stream.js";
import { wait } from "./waiting.js";
import { _ } from "./words.js";

const SILENCE = 2_000;
const SEARCH = /^Searched the web for “(.+)”$/gm;
const FENCE = /^ {0,3}(`{3,}|~{3,})([^\n]*)\n?/;

export class Reply extends EventTarget {
  #article;
  #stream;
  #send;
  #silence = 0;
  #asked = 0;
  #drawing = 0;
  #moved = false;
  #countdown = 0;
  #noted = 0; // characters that were here when the note came

  constructor(article, send) {
    super();
    this.#article = article;
    this.#send = send;
    this.gen = article.dataset.gen;
    this.#stream = new Stream(this.gen, {
      append: (html) => {
        this.#part("prose").append(fragment(html));
        this.#moved = true;
      },
      clear: () => this.#part("prose").replaceChildren(),
      ask: (upto) => this.#ask(upto),
    });
    this.#listen();
  }

  hear(frame) {
    this.#listen();
    if (frame.type === "notice") this.#note(frame);
    else if (frame.type === "done") this.#finish(frame);
    else this.#write(frame);
  }

  resume() {
    this.#stream.ask();
  }

  // The article was replaced by a newer rendering of the page.
  forget() {
    clearTimeout(this.#silence);
    clearTimeout(this.#asked);
    clearInterval(this.#countdown);
    cancelAnimationFrame(this.#drawing);
  }

  get #characters() {
    return this.#stream.length + this.#stream.thinking.length;
  }

  // A note stands until words come: a snapshot may bring none.
  #write(frame) {
    this.#stream[frame.type](frame);
    if (this.#characters !== this.#noted) this.#quiet();
    this.#article.dataset.state = frame.state ?? "running";
    // A finished block and the tail that it was must never stand on the page together.
    if (this.#moved) this.#draw();
    else this.#drawing ||= requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    cancelAnimationFrame(this.#drawing);
    this.#drawing = 0;
    this.#moved = false;
    const { tail, thinking } = this.#stream;
    const shown = tail.replace(/^\n+|\s+$/g, "");
    const fence = FENCE.exec(shown);
    const part = this.#part("tail");
    part.textContent = fence ? shown.slice(fence[0].length) : shown;
    part.classList.toggle("fenced", Boolean(fence));
    part.dataset.language = fence ? fence[2].trim().split(/\s/)[0] : "";
    const folded = this.#part("thinking");
    folded.hidden = !thinking;
    folded.querySelector(".thought").textContent = worded(thinking);
    const detail = { article: this.#article, characters: this.#characters };
    this.dispatchEvent(new CustomEvent("drawn", { detail }));
  }

  #finish({ html, state }) {
    this.forget();
    const fresh = element(html);
    fresh.querySelector(".thinking").open = this.#part("thinking").open;
    become(this.#article, fresh);
    wait(this.#article);
    this.dispatchEvent(new CustomEvent("done", { detail: { article: this.#article, state } }));
  }

  #note({ message, until }) {
    const note = this.#part("live-note");
    const end = until ? Date.parse(until) : 0;
    const show = () => {
      const left = Math.ceil((end - Date.now()) / 1000);
      note.textContent = left > 0 ? `${message} (${left} s)` : message;
    };
    note.hidden = false;
    this.#noted = this.#characters;
    show();
    clearInterval(this.#countdown);
    if (end) this.#countdown = setInterval(show, 1000);
  }

  #quiet() {
    clearInterval(this.#countdown);
    this.#part("live-note").hidden = true;
  }

  #listen() {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => {
      this.resume();
      this.#listen();
    }, SILENCE);
  }

  // Many frames may show the same gap; the server hears of it once in a while.
  #ask(known) {
    if (this.#asked) return;
    this.#asked = setTimeout(() => { this.#asked = 0; }, 300);
    this.#send({ type: "resume", ...known });
  }

  #part(name) {
    return this.#article.querySelector(`.${name}`);
  }
}

// A search is told in English, and shown in the page's language, as captions.py does.
function worded(thinking) {
  return thinking.replace(SEARCH, (line, words) => _("Searched the web for “%(words)s”", { words }));
}

// Make `article` what `fresh` is, around text that stays where it is: to lay out a long reply anew
// would take a moment in which nothing moves.
function become(article, fresh) {
  const prose = article.querySelector(".prose");
  const draft = fresh.querySelector(".prose");
  keep(prose, draft);
  const { before, after } = around(draft);
  const old = around(prose);
  for (const node of [...old.before, ...old.after]) node.remove();
  prose.before(...before);
  prose.after(...after);
  for (const name of article.getAttributeNames()) {
    if (!fresh.hasAttribute(name)) article.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (article.getAttribute(name) !== value) article.setAttribute(name, value);
  }
}

function around(node) {
  const all = [...node.parentNode.childNodes];
  const place = all.indexOf(node);
  return { before: all.slice(0, place), after: all.slice(place + 1) };
}

// Make `old` hold what `fresh` holds, leaving the elements that are right already where they are:
// a selection or a scrolled code block survives the end of the reply.
function keep(old, fresh) {
  const wanted = [...fresh.childNodes];
  const here = [...old.childNodes];
  const differs = wanted.findIndex((node, index) => !here[index]?.isEqualNode(node));
  const same = differs < 0 ? wanted.length : differs;
  for (const node of here.slice(same)) node.remove();
  old.append(...wanted.slice(same));
}

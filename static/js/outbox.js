// Questions on their way: the same frame with the same key, until the server has answered.

import { _ } from "./words.js";

const PATIENCE = 3_000;
const TOO_BIG = 1009;

export class Outbox {
  #socket;
  #waiting = new Map();

  constructor(socket) {
    this.#socket = socket;
    socket.addEventListener("frame", ({ detail }) => this.#hear(detail));
    socket.addEventListener("closed", ({ detail: code }) => { if (code === TOO_BIG) this.#refuse(); });
  }

  // Resolves with `ack`, or with `reject`.
  post(frame) {
    frame.key = uuid4();
    return new Promise((resolve) => {
      this.#waiting.set(frame.key, { frame, resolve, timer: 0 });
      this.#send(frame.key);
    });
  }

  #send(key, after = 0) {
    const entry = this.#waiting.get(key);
    if (!entry) return;
    clearTimeout(entry.timer);
    entry.timer = setTimeout(() => {
      this.#socket.send(entry.frame);
      this.#send(key, PATIENCE);
    }, after);
  }

  #hear(frame) {
    if (frame.type === "welcome") {
      for (const key of this.#waiting.keys()) this.#send(key);
    } else if (frame.type === "retry") {
      this.#send(frame.key, frame.after);
    } else if (frame.type === "ack" || frame.type === "reject") {
      this.#settle(frame);
    }
  }

  // The server will not even read it: sending it again would only end the next socket too.
  #refuse() {
    const message = _("That is too much text to send at once. Nothing was sent.");
    for (const key of this.#waiting.keys()) {
      this.#settle({ type: "reject", code: "too_long", key, message });
    }
  }

  #settle(frame) {
    const entry = this.#waiting.get(frame.key);
    if (!entry) return;
    clearTimeout(entry.timer);
    this.#waiting.delete(frame.key);
    entry.resolve(frame);
  }
}

// As crypto.randomUUID makes it, which is not there over plain http.
function uuid4() {
  const random = (digit) => crypto.getRandomValues(new Uint8Array(1))[0] & (15 >> (digit / 4));
  return "10000000-1000-4000-8000-100000000000".replace(/[018]/g, (digit) => (digit ^ random(digit)).toString(16));
}

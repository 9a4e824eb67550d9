// The tab's one websocket: comes back by itself, notices silence, hands frames on.

const SILENCE = 25_000;
const LONGEST_WAIT = 15_000;
const NOT_AGAIN = new Set([4401, 4403, 4409]);

export class Socket extends EventTarget {
  #url;
  #socket = null;
  #failures = 0;
  #silence = 0;
  #heartbeat = 0;
  ready = false;

  constructor(url) {
    super();
    this.#url = url;
    window.addEventListener("online", () => this.#hurry());
    document.addEventListener("visibilitychange", () => document.hidden || this.#hurry());
    this.#connect();
  }

  send(frame) {
    if (!this.ready) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  #connect() {
    this.#socket = new WebSocket(this.#url);
    this.#socket.onmessage = ({ data }) => this.#hear(JSON.parse(data));
    this.#socket.onclose = ({ code }) => this.#closed(code);
    this.#listen();
  }

  #hear(frame) {
    this.#listen();
    if (frame.type === "welcome") this.#welcome(frame);
    this.dispatchEvent(new CustomEvent("frame", { detail: frame }));
  }

  #welcome({ heartbeat }) {
    this.ready = true;
    this.#failures = 0;
    clearInterval(this.#heartbeat);
    this.#heartbeat = setInterval(() => this.send({ type: "ping" }), heartbeat * 1000);
  }

  // A socket whose other end is gone says nothing: give it up and begin anew.
  #listen() {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#abandon(), SILENCE);
  }

  #abandon() {
    const silent = this.#socket;
    silent.onclose = silent.onmessage = null;
    silent.close();
    this.#closed(1006);
  }

  #closed(code) {
    this.ready = false;
    clearTimeout(this.#silence);
    clearInterval(this.#heartbeat);
    this.dispatchEvent(new CustomEvent("closed", { detail: code }));
    if (NOT_AGAIN.has(code)) return;
    this.#socket = null;
    this.#silence = setTimeout(() => this.#connect(), this.#wait(code));
    this.#failures += 1;
  }

  // Full jitter: a thousand tabs do not come back in the same moment.
  #wait(code) {
    const most = code === 4429 || code === 1008 ? LONGEST_WAIT : 500 * 2 ** this.#failures;
    return Math.random() * Math.min(most, LONGEST_WAIT);
  }

  #hurry() {
    if (this.#socket) return;
    clearTimeout(this.#silence);
    this.#connect();
  }
}

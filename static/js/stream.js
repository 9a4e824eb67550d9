// One live reply's text, put together from frames that may be lost, doubled or late; no page here.
// See docs/protocol.md. Offsets count UTF-16 code units, as String.length does.

export class Stream {
  epoch = 0;
  length = 0;
  upto = 0;
  tail = "";
  thinking = "";
  #held = [];
  #view;

  // view: append(html), clear(), ask({ gen, epoch, upto })
  constructor(gen, view) {
    this.gen = gen;
    this.#view = view;
  }

  ask() {
    const { gen, epoch, upto } = this;
    this.#view.ask({ gen, epoch, upto });
  }

  delta(frame) {
    if (frame.epoch < this.epoch) return;
    if (frame.epoch > this.epoch && frame.off === 0) this.#begin(frame.epoch);
    if (frame.epoch > this.epoch || frame.off > this.length) {
      this.#held.push(frame);
      this.ask();
    } else {
      this.#append(frame);
      this.#release();
    }
  }

  snapshot(frame) {
    if (frame.epoch < this.epoch) return;
    if (frame.epoch > this.epoch && frame.from === 0) this.#begin(frame.epoch);
    if (frame.epoch > this.epoch || frame.from > this.upto || !this.#freeze(frame.blocks)) {
      this.ask();
      return;
    }
    if (frame.thinking.length > this.thinking.length) this.thinking = frame.thinking;
    this.#replaceTail(frame);
    if (!frame.more) this.#release();
  }

  // In one epoch text only grows: a snapshot that knows less than we do came late.
  #replaceTail({ from, blocks, tail }) {
    const start = blocks.at(-1)?.upto ?? from;
    if (start !== this.upto || start + tail.length < this.length) return;
    this.tail = tail;
    this.length = start + tail.length;
  }

  #begin(epoch) {
    this.epoch = epoch;
    this.length = this.upto = 0;
    this.tail = this.thinking = "";
    this.#view.clear();
  }

  #append({ off, s, blocks = [], thinking = "", at = 0 }) {
    const fresh = s.slice(this.length - off);
    const missed = at > this.thinking.length;
    if (!missed) this.thinking += thinking.slice(this.thinking.length - at);
    this.tail += fresh;
    this.length += fresh.length;
    if (!this.#freeze(blocks) || missed) this.ask();
  }

  // Blocks known already are passed over; false when one does not fit what is here.
  #freeze(blocks) {
    for (const { from, upto, html } of blocks) {
      if (upto <= this.upto) continue;
      if (from !== this.upto) return false;
      this.#view.append(html);
      this.tail = this.tail.slice(upto - from);
      this.upto = upto;
      this.length = Math.max(this.length, upto);
    }
    return true;
  }

  #release() {
    const held = this.#held.filter((frame) => frame.epoch >= this.epoch);
    this.#held = [];
    for (const frame of held.sort((a, b) => a.off - b.off)) {
      if (frame.epoch === this.epoch && frame.off <= this.length) this.#append(frame);
      else this.#held.push(frame);
    }
  }
}

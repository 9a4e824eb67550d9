// Where people write: keys, drafts that are never lost, editing, and Stop in Send's place.

import { Attachments } from "./attachments.js";
import * as drafts from "./drafts.js";
import { _ } from "./words.js";

// On a phone Enter is the only way to a new line, and Send is under the thumb.
const TOUCH = matchMedia("(pointer: coarse)").matches;
const FITS = CSS.supports("field-sizing", "content");

export class Composer extends EventTarget {
  #form;
  #text;
  #send;
  #stop;
  #note;
  #editing = null; // { parent } while a question is written anew
  #busy = false; // a reply is being written here
  #sending = false;
  #eager = false; // to be sent as soon as its files are there
  #conversation;
  #files;

  constructor(form, conversation) {
    super();
    this.#form = form;
    this.#conversation = conversation;
    this.#text = form.querySelector("#draft");
    this.#send = form.querySelector("#send");
    this.#stop = form.querySelector("#stop");
    this.#note = form.querySelector("#composer-note");
    this.#text.addEventListener("input", () => this.#typed());
    this.#text.addEventListener("keydown", (event) => this.#key(event));
    form.addEventListener("submit", (event) => this.#submit(event));
    this.#stop.addEventListener("click", () => this.dispatchEvent(new Event("stop")));
    this.#note.querySelector("button").addEventListener("click", () => this.cancel());
    this.#files = new Attachments(form, conversation);
    this.#files.addEventListener("changed", () => this.#attached());
    this.#files.addEventListener("removed", () => this.focus());
    // Who was quicker than this script has written something already.
    if (this.#text.value) this.#typed();
    else this.#fill(drafts.load(conversation));
  }

  // From now on the form is heard here, no longer by early.js, where it may have been sent already.
  begin() {
    const { early } = this.#form.dataset;
    delete this.#form.dataset.early;
    if (early) this.#form.requestSubmit();
  }

  get #empty() {
    return !this.#text.value && this.#files.settled && !this.#files.ids.length;
  }

  set conversation(id) {
    this.#conversation = this.#files.conversation = id;
  }

  // What would be sent: { text, attachments }, or null while there is nothing, or not all of it.
  get question() {
    const { ids: attachments, settled } = this.#files;
    const text = this.#text.value;
    if (!settled || !(text.trim() || attachments.length)) return null;
    return attachments.length ? { text, attachments } : { text };
  }

  // { parent } when the text replaces an earlier question.
  get editing() {
    return this.#editing;
  }

  set busy(busy) {
    const focused = document.activeElement === this.#send || document.activeElement === this.#stop;
    this.#busy = busy;
    this.#send.hidden = busy;
    this.#stop.hidden = !busy;
    if (focused) this.focus();
  }

  focus() {
    this.#text.focus();
  }

  write(text) {
    this.#fill(text);
    this.#typed();
    this.focus();
  }

  edit(text, parent, files) {
    this.#editing = { parent };
    this.#files.show(files, false);
    this.write(text);
    this.#tell(_("Editing: what follows this message will be written anew."), _("Cancel"));
  }

  cancel() {
    if (!this.#editing) return;
    this.#editing = null;
    this.#quiet();
    this.#files.restore();
    this.write(drafts.load(this.#conversation));
  }

  // The question is on its way: keep it until the server has it.
  sending() {
    this.#sending = true;
    this.#form.classList.add("sending");
    this.#allow();
  }

  // The draft that an edit stood before comes back.
  sent() {
    this.#settled();
    if (this.#editing) {
      this.#editing = null;
      this.#files.restore();
    } else {
      drafts.save(this.#conversation, "");
      this.#files.clear();
    }
    this.#quiet();
    this.#fill(drafts.load(this.#conversation));
    this.dispatchEvent(new Event("draft"));
  }

  refused(message) {
    this.#settled();
    this.#tell(message);
    this.focus();
  }

  #settled() {
    this.#sending = false;
    this.#form.classList.remove("sending");
    this.#allow();
  }

  #typed() {
    this.#eager = false;
    if (!this.#editing) {
      this.#quiet();
      drafts.save(this.#conversation, this.#text.value);
    }
    this.#fit();
    this.#allow();
    this.dispatchEvent(new Event("draft"));
  }

  #attached() {
    this.#allow();
    this.dispatchEvent(new Event("draft"));
    if (!this.#files.arriving) this.#whenThere();
  }

  // Enter was pressed before the files had arrived.
  #whenThere() {
    if (!this.#eager) return;
    this.#eager = false;
    this.#quiet();
    this.#form.requestSubmit();
  }

  #fill(text) {
    this.#text.value = text;
    this.#fit();
    this.#allow();
  }

  #fit() {
    if (FITS) return;
    this.#text.style.height = "auto";
    this.#text.style.height = `${this.#text.scrollHeight}px`;
  }

  #allow() {
    this.#send.disabled = this.#sending || !(this.question || this.#files.arriving);
    this.#text.readOnly = this.#sending;
  }

  #key(event) {
    // An input method is choosing characters: its Enter is not ours. 229: Safari says so only there.
    if (event.isComposing || event.keyCode === 229) return;
    const meant = event.ctrlKey || event.metaKey || !(event.shiftKey || TOUCH);
    if (event.key === "Enter" && meant && !event.altKey) {
      event.preventDefault();
      this.#form.requestSubmit();
    } else if (event.key === "ArrowUp" && this.#empty) {
      event.preventDefault();
      this.dispatchEvent(new Event("edit-last"));
    } else if (event.key === "Escape" && this.#editing) {
      event.stopPropagation();
      this.cancel();
    }
  }

  #submit(event) {
    event.preventDefault();
    if (this.#busy || this.#sending) return;
    if (this.question) return this.dispatchEvent(new Event("send"));
    if (!this.#files.arriving) return;
    this.#eager = true;
    this.#tell(_("It will be sent as soon as the files are there."));
  }

  #tell(message, action = "") {
    const [words, button] = this.#note.children;
    words.textContent = message;
    button.textContent = action;
    button.hidden = !action;
    this.#note.hidden = false;
  }

  #quiet() {
    this.#note.hidden = true;
  }
}

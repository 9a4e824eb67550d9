// The files that will go with the next message: chosen, pasted or dropped, and shown as chips.

import { announce } from "./announce.js";
import * as drafts from "./drafts.js";
import { forget, upload } from "./upload.js";
import { _ } from "./words.js";

const PICTURE = /^image\//;
const HEAVY = 3_750_000; // bytes of an image, as the server says too

export class Attachments extends EventTarget {
  #list = document.getElementById("chips");
  #template = document.getElementById("chip");
  #input;
  #files = new Map(); // chip -> { id, name, media_type }; null: on its way; false: failed
  #kept = true; // whether they belong to the draft, and not to a question being edited
  conversation;

  constructor(form, conversation) {
    super();
    this.conversation = conversation;
    this.#input = form.querySelector("#attach");
    this.#input.addEventListener("change", () => this.#choose());
    form.addEventListener("paste", (event) => this.#paste(event));
    this.#list.addEventListener("click", (event) => this.#click(event));
    this.#receive(document.body, form); // a file dropped beside the page would replace it
    this.show(drafts.loadFiles(conversation));
    this.#choose(); // before this script was there
  }

  get ids() {
    return [...this.#files.values()].filter(Boolean).map(({ id }) => id);
  }

  // Nothing is on its way any more, and nothing has failed.
  get settled() {
    return [...this.#files.values()].every(Boolean);
  }

  // Nothing has failed, but something is still on its way.
  get arriving() {
    const files = [...this.#files.values()];
    return files.includes(null) && !files.includes(false);
  }

  #choose() {
    this.add(this.#input.files);
    this.#input.value = "";
  }

  add(files) {
    for (const file of files) this.#upload(file);
  }

  // Files that the server has: of a draft, or (`kept` false) of a question being edited.
  show(files, kept = true) {
    this.#kept = kept;
    this.#files.clear();
    this.#list.replaceChildren();
    for (const file of files) {
      const chip = this.#chip(file.name);
      this.#files.set(chip, file);
      this.#finish(chip, file);
    }
    this.#changed();
  }

  clear() {
    drafts.saveFiles(this.conversation, []);
    this.show([]);
  }

  restore() {
    this.show(drafts.loadFiles(this.conversation));
  }

  async #upload(chosen) {
    const chip = this.#chip(chosen.name);
    this.#files.set(chip, null);
    this.#changed();
    const aborter = new AbortController();
    chip.addEventListener("removed", () => aborter.abort());
    const bar = chip.querySelector("progress");
    try {
      const file = await light(chosen);
      this.#check(file);
      const step = Number(this.#input.dataset.step);
      const told = (share) => { bar.value = share; };
      const found = await upload(file, { step, signal: aborter.signal, told });
      if (!chip.isConnected) return forget(found.id); // removed meanwhile
      this.#files.set(chip, found);
      this.#finish(chip, found);
      if (file !== chosen) chip.querySelector("small").textContent = _("made smaller");
    } catch ({ name, message }) {
      if (name !== "AbortError" && chip.isConnected) this.#fail(chip, message);
    }
    return this.#changed();
  }

  #check({ size }) {
    const { most, bytes } = this.#input.dataset;
    if (this.#files.size > Number(most)) throw new Error(_("At most %(most)s files go with a message.", { most }));
    if (size > Number(bytes)) throw new Error(_("It is larger than %(size)s MB.", { size: Math.floor(bytes / 1e6) }));
    if (!size) throw new Error(_("It is empty."));
  }

  #chip(name) {
    const chip = this.#template.content.firstElementChild.cloneNode(true);
    chip.querySelector("bdi").textContent = name;
    chip.querySelector("button").ariaLabel = _("Remove %(name)s", { name });
    this.#list.append(chip);
    return chip;
  }

  #finish(chip, { id, name, media_type: kind }) {
    chip.querySelector("progress").remove();
    if (!PICTURE.test(kind)) return;
    const picture = document.createElement("img");
    picture.src = `/files/${id}/`;
    picture.alt = "";
    picture.title = name;
    chip.querySelector(".icon").replaceWith(picture);
  }

  #fail(chip, message) {
    this.#files.set(chip, false);
    chip.classList.add("refused");
    chip.querySelector("progress").remove();
    chip.querySelector("small").textContent = message;
  }

  #click(event) {
    const chip = event.target.closest("button")?.closest("li");
    if (!chip) return;
    const file = this.#files.get(chip);
    if (file && this.#kept) forget(file.id);
    this.#files.delete(chip);
    chip.remove();
    chip.dispatchEvent(new Event("removed"));
    announce(_("Removed"));
    this.#changed();
    this.dispatchEvent(new Event("removed"));
  }

  #changed() {
    this.#list.hidden = !this.#files.size;
    if (this.#kept) drafts.saveFiles(this.conversation, [...this.#files.values()].filter(Boolean));
    this.dispatchEvent(new Event("changed"));
  }

  // Programs put a picture of the text beside the text: then the text is meant.
  #paste(event) {
    const { files, types } = event.clipboardData;
    if (!files.length || types.includes("text/plain")) return;
    event.preventDefault();
    this.add(files);
  }

  #receive(area, form) {
    const over = (on) => form.classList.toggle("dropping", on);
    area.addEventListener("dragover", (event) => {
      if (!event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      over(true);
    });
    area.addEventListener("dragleave", ({ relatedTarget }) => {
      if (!area.contains(relatedTarget)) over(false);
    });
    area.addEventListener("drop", (event) => {
      over(false);
      if (!event.dataTransfer.files.length) return;
      event.preventDefault();
      this.add(event.dataTransfer.files);
    });
  }
}

// Seldom needed, so it is fetched only then.
async function light(file) {
  if (file.size <= HEAVY) return file;
  const { shrunk } = await import("./shrink.js");
  return shrunk(file);
}

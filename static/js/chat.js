// The chat page: connects the socket, the messages, the composer and the list.

import { pickModel } from "./anew.js";
import { announce } from "./announce.js";
import { Composer } from "./composer.js";
import { watch } from "./connection.js";
import { copyCode, copyMessage } from "./copy.js";
import { Figures } from "./figures.js";
import { listen } from "./keys.js";
import { List } from "./list.js";
import { Log } from "./log.js";
import { Outbox } from "./outbox.js";
import { enlarge } from "./pictures.js";
import { post } from "./post.js";
import { Quote } from "./quote.js";
import { Follow } from "./scroll.js";
import { Search } from "./search.js";
import { Settings } from "./settings.js";
import { Socket } from "./socket.js";
import { closable } from "./temporary.js";
import { editInPlace, rename } from "./titles.js";
import { toast } from "./toast.js";
import { _ } from "./words.js";

const SUMMARISE = _("Summarise this conversation so that it can go on in a new one: what was "
  + "asked, what was found and decided, what is still open, and every name, number and piece of "
  + "code that is needed. Write only the summary.");
const by = (id) => document.getElementById(id);

class Chat {
  #conversation = by("content").dataset.conversation ?? null;
  #socket = new Socket(new URL("/ws/chat/", location.href.replace(/^http/, "ws")));
  #outbox = new Outbox(this.#socket);
  #log = new Log(by("log"), (frame) => this.#socket.send(frame));
  #composer = new Composer(by("composer"), this.#conversation);
  #settings = new Settings(this.#conversation);
  #quote = new Quote(by("quote"), by("composer").dataset.quote, () => this.#quotable());
  #figures = new Figures();
  #list = new List(this.#conversation);
  #search = new Search(by("search"));
  #follow = new Follow(by("log-scroll"), by("to-end"));

  constructor() {
    watch(this.#socket, by("connection"));
    this.#socket.addEventListener("frame", ({ detail }) => this.#hear(detail));
    this.#log.addEventListener("changed", () => this.#showState());
    this.#log.addEventListener("done", ({ detail }) => this.#replied(detail));
    this.#log.addEventListener("refreshed", ({ detail }) => this.#refreshed(detail));
    this.#composer.addEventListener("draft", () => this.#quote.ask());
    this.#composer.addEventListener("send", () => this.#send());
    this.#composer.addEventListener("stop", () => this.#stop());
    this.#composer.addEventListener("edit-last", () => this.#edit(this.#log.lastQuestion));
    this.#settings.addEventListener("changed", () => this.#settled());
    this.#log.addEventListener("written", ({ detail }) => {
      this.#figures.running(detail.article, detail.characters);
    });
    document.addEventListener("click", (event) => this.#click(event));
    by("title").addEventListener("dblclick", () => this.#rename());
    // Going back to another chat; a link within the page only has a hash.
    window.addEventListener("popstate", () => location.hash || location.reload());
    listen({
      write: () => this.#composer.focus(),
      search: () => this.#search.open(),
      create: () => location.assign("/"),
      help: () => by("help").showModal(),
      stop: () => this.#stop(),
    });
    closable(by("temporary"), () => this.#conversation);
    this.#showState();
    this.#quote.ask();
    this.#composer.begin();
  }

  #hear(frame) {
    switch (frame.type) {
      case "welcome":
        return this.#watch();
      case "conversation":
        this.#list.hear(frame);
        return this.#changed(frame);
      case "message":
        if (frame.conversation === this.#conversation) this.#log.hear(frame);
        return undefined;
      case "changed":
        if (frame.conversation === this.#conversation) this.#log.refresh();
        return undefined;
      case "delta":
      case "snapshot":
      case "notice":
      case "done":
        return this.#log.hear(frame);
      case "error":
        return toast(frame.message);
      default:
        return undefined;
    }
  }

  // Another tab has chosen another model.
  #changed({ id, model }) {
    if (id === this.#conversation && model !== this.#settings.values.model) this.#log.refresh();
  }

  #watched = false;

  #watch() {
    if (!this.#conversation) return;
    this.#socket.send({ type: "watch", conversation: this.#conversation });
    // Back again: other tabs may have gone on meanwhile.
    if (this.#watched) this.#log.refresh();
    this.#watched = true;
  }

  // While a reply is being written nothing can be sent, nor be quoted.
  #quotable() {
    return this.#composer.question && !this.#log.live ? this.#draft() : null;
  }

  #draft() {
    const { question, editing } = this.#composer;
    const parent = editing ? editing.parent : this.#log.leaf;
    const { project, temporary } = by("content").dataset;
    const place = { project, temporary: temporary !== undefined };
    const fresh = this.#conversation ? {} : { ...place, ...this.#settings.values };
    return { conversation: this.#conversation, parent, ...question, ...fresh };
  }

  async #send() {
    if (this.#quote.blocked) return this.#composer.refused(this.#quote.blocked);
    const frame = { type: "send", ...this.#draft() };
    this.#composer.sending();
    this.#quote.cancel();
    this.#follow.toEnd();
    try {
      await this.#settings.saved;
    } catch ({ message }) {
      return this.#composer.refused(message);
    }
    const answer = await this.#outbox.post(frame);
    if (answer.type === "reject") return this.#composer.refused(answer.message);
    this.#composer.sent();
    this.#open(answer);
    return this.#shown(answer);
  }

  // The answer to a repeated question is not announced again: here it may be unknown yet.
  #shown({ gen, new: announced }) {
    if (!announced && !this.#log.has(gen)) this.#log.refresh();
  }

  // A new conversation has its address from its first message on.
  #open({ conversation }) {
    if (this.#conversation) return;
    this.#conversation = conversation;
    this.#composer.conversation = this.#settings.conversation = conversation;
    this.#list.current = conversation;
    by("content").dataset.conversation = conversation;
    history.pushState(null, "", `/c/${conversation}/`);
    const share = by("share");
    if (share) Object.assign(share, { href: `/c/${conversation}/share/`, hidden: false });
    this.#watch();
  }

  async #again(button, model = null) {
    if (this.#log.live || button.ariaBusy) return;
    const { id } = button.closest("article").dataset;
    button.ariaBusy = "true"; // disabled, it would lose the focus
    this.#quote.cancel();
    const answer = await this.#outbox.post({ type: "regenerate", message: id, model });
    button.ariaBusy = null;
    if (answer.type === "reject") toast(answer.message);
    else this.#shown(answer);
  }

  // A further question, as a person would type it, but leaving their draft alone.
  async #say(text, article) {
    if (this.#log.live) return false;
    const parent = article?.dataset.id ?? this.#log.leaf;
    const question = { conversation: this.#conversation, parent, text };
    this.#quote.cancel();
    const answer = await this.#outbox.post({ type: "send", ...question });
    if (answer.type === "reject") toast(answer.message);
    else this.#shown(answer);
    return answer.type !== "reject";
  }

  async #summarise() {
    this.#summarising = await this.#say(SUMMARISE);
  }

  #summarising = false;

  #settled() {
    this.#quote.ask();
    this.#figures.refresh(this.#conversation, this.#log.leaf);
  }

  #stop() {
    const { live } = this.#log;
    if (live) this.#socket.send({ type: "stop", gen: live.gen });
  }

  #edit(article) {
    if (!article || this.#log.live) return;
    const text = article.querySelector(".said")?.textContent ?? "";
    const files = [...article.querySelectorAll(".files li")].map(({ dataset }) => (
      { id: dataset.id, name: dataset.name, media_type: dataset.mediaType }
    ));
    this.#composer.edit(text, article.dataset.parent ?? null, files);
  }

  async #delete({ dataset: { id } }) {
    const run = (what) => post(`/m/${id}/${what}/`, {}).catch(({ message }) => toast(message));
    if (!await run("delete")) return;
    this.#composer.focus();
    toast(_("Message deleted, with what followed it."), {
      action: _("Undo"),
      run: () => run("restore"),
    });
  }

  #rename() {
    if (!this.#conversation) return;
    editInPlace(by("title"), async (title) => {
      rename(title);
      await post(`/c/${this.#conversation}/rename/`, { title });
    });
  }

  #showState() {
    this.#composer.busy = this.#log.live !== null;
  }

  #replied({ article, state }) {
    if (this.#summarising && state === "done") location.assign(`/?summary=${article.dataset.id}`);
    this.#summarising = false;
    this.#settled();
    const words = article.querySelector(".prose").textContent.trim();
    const trouble = article.querySelector(".failed p")?.textContent ?? "";
    announce([state === "stopped" ? _("Stopped.") : "", words, trouble].filter(Boolean).join(" "));
  }

  #refreshed(page) {
    this.#figures.take(page);
    this.#settings.take(page);
    rename(page.querySelector("#title").textContent);
  }

  #click(event) {
    const { target } = event;
    const picture = target.closest("a.picture");
    if (picture && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      enlarge(picture);
    }
    const button = target.closest("button");
    if (!button) return;
    if (button.matches(".copy")) copyCode(button);
    else if (button.matches(".example")) this.#composer.write(button.dataset.text);
    else if (button.dataset.opens) by(button.dataset.opens).showModal();
    else if ("closes" in button.dataset) button.closest("dialog").close();
    else if (button.dataset.action === "summarise") this.#summarise();
    else if (button.dataset.action === "pick-model") this.#settings.pick();
    else if (button.closest("article")) this.#act(button);
  }

  #act(button) {
    switch (button.dataset.action) {
      case "copy":
        return copyMessage(button);
      case "edit":
        return this.#edit(button.closest("article"));
      case "delete":
        return this.#delete(button.closest("article"));
      case "again":
        return this.#again(button);
      case "again-with":
        return pickModel(button.closest("article"), (model) => this.#again(button, model));
      case "go-on":
        return this.#say(_("Go on from exactly where you stopped."), button.closest("article"));
      default:
        return undefined;
    }
  }
}

new Chat();

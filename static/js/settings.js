// The settings of this conversation; of a new one until its first send.

import { about } from "./money.js";
import { priceNextTurns } from "./next-turn.js";
import { post } from "./post.js";
import { ratesOf } from "./rates.js";
import { Wishes } from "./wishes.js";

export class Settings extends EventTarget {
  #form = document.getElementById("settings-form");
  #dialog = document.getElementById("settings");
  #wishes = new Wishes(this.#form);
  #trouble = this.#form.querySelector("[role=alert]");
  #saved;
  saved = null; // settles when the last change is with the server
  conversation;

  constructor(conversation) {
    super();
    this.conversation = conversation;
    this.#wishes.offer(this.#model.dataset);
    this.#saved = this.values;
    const models = document.getElementById("models");
    models.addEventListener("change", () => this.#modelChosen());
    // With the arrow keys people look around: only a pointer's choice closes the list.
    models.addEventListener("click", ({ detail, target }) => {
      if (detail && target.closest("label")) this.#close(models);
    });
    models.addEventListener("toggle", () => {
      priceNextTurns(models);
      this.#model?.scrollIntoView({ block: "center" });
    });
    this.#form.addEventListener("submit", (event) => this.#submit(event));
    this.#dialog.addEventListener("close", () => this.#reset());
  }

  get values() {
    const { model, max_tokens, system_prompt } = this.#form.elements;
    return {
      model: model.value,
      max_tokens: max_tokens.valueAsNumber,
      system_prompt: system_prompt.value,
      options: this.#wishes.values,
    };
  }

  // Asked for where it is said that the chat's own model is no longer offered.
  pick() {
    const models = document.getElementById("models");
    models.open = true;
    models.querySelector("input:enabled")?.focus();
  }

  // From a page that the server rendered: another tab may have changed them.
  take(page) {
    if (!page.querySelector("#gone")) document.getElementById("gone")?.remove();
    if (this.#dialog.open) return;
    const options = "#models fieldset";
    document.querySelector(options).replaceWith(page.querySelector(options));
    const form = page.querySelector("#settings-form");
    const { max_tokens, system_prompt } = form.elements;
    const saved = { max_tokens: max_tokens.value, system_prompt: system_prompt.value };
    this.#saved = { ...saved, options: new Wishes(form).values };
    this.#reset();
    this.#showModel();
    this.#saved = this.values;
  }

  get #model() {
    return document.querySelector("#models input:checked");
  }

  async #modelChosen() {
    this.#showModel();
    await this.#save().catch((fault) => this.#complain(fault));
  }

  #showModel() {
    const { name, most } = this.#model.dataset;
    document.getElementById("model-name").textContent = name;
    const longest = this.#form.elements.max_tokens;
    longest.max = most;
    if (longest.valueAsNumber > Number(most)) longest.value = most;
    this.#wishes.offer(this.#model.dataset);
  }

  #close(models) {
    models.open = false;
    models.querySelector("summary").focus();
  }

  async #submit(event) {
    event.preventDefault();
    try {
      await this.#save();
      this.#dialog.close();
    } catch (fault) {
      this.#complain(fault);
    }
  }

  #save() {
    this.saved = this.#keep();
    return this.saved;
  }

  async #keep() {
    if (this.conversation) await post(`/c/${this.conversation}/settings/`, this.values);
    this.#saved = this.values;
    this.#priceExamples();
    this.#trouble.hidden = true;
    document.getElementById("gone")?.remove(); // nothing is saved with a model that is not offered
    this.dispatchEvent(new Event("changed"));
  }

  #priceExamples() {
    const rates = ratesOf(this.#model.dataset);
    for (const example of document.querySelectorAll(".example")) {
      const { in: asked, out } = example.dataset;
      const words = rates ? about(rates.input * asked + rates.output * out) : "";
      example.querySelector("[data-price]").textContent = words;
    }
  }

  #complain({ message }) {
    this.saved = null;
    this.#trouble.textContent = message;
    this.#trouble.hidden = false;
    if (!this.#dialog.open) this.#dialog.showModal();
  }

  // What was not saved is forgotten with the dialog.
  #reset() {
    const { max_tokens, system_prompt } = this.#form.elements;
    max_tokens.value = this.#saved.max_tokens;
    system_prompt.value = this.#saved.system_prompt;
    this.#wishes.values = this.#saved.options;
    this.#trouble.hidden = true;
  }
}

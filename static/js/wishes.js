// Thinking, effort, web search, speed and cache: only what the chosen model can do is offered.

import { _ } from "./words.js";

export class Wishes {
  #selects;

  constructor(form) {
    this.#selects = [...form.querySelectorAll("select[data-wish]")];
    for (const { options } of this.#selects) options[0].dataset.words = options[0].text;
  }

  get values() {
    return Object.fromEntries(this.#selects.map(({ name, value }) => [name, value]));
  }

  set values(values) {
    for (const select of this.#selects) select.value = values[select.name];
  }

  // model: the dataset of its radio button
  offer(model) {
    const offers = new Map(model.offers.split(" ").map((offer) => offer.split("=")));
    for (const select of this.#selects) {
      const values = offers.get(select.name).split(",").filter(Boolean);
      for (const option of [...select.options].slice(1)) {
        option.hidden = option.disabled = !values.includes(option.value);
      }
      if (select.selectedOptions[0].disabled) select.value = "";
      select.closest(".field").hidden = !values.length;
      this.#name(select, values, model[select.name]);
    }
  }

  // What "as usual" means with this model.
  #name(select, values, usual) {
    if (!usual) return;
    const [first] = select.options;
    const only = values.length === 1;
    const small = usual.toLowerCase();
    first.text = only ? _("Always %(usual)s", { usual: small }) : `${first.dataset.words}: ${small}`;
    select.disabled = only;
  }
}

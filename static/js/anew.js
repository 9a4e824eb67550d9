// Which model shall write a reply anew, and about what each takes for it.

import { about } from "./money.js";
import { ratesOf } from "./rates.js";
import { _ } from "./words.js";

const dialog = document.getElementById("anew");
const list = dialog.querySelector("ul");

// choose(model): called with the id that is picked
export function pickModel({ dataset }, choose) {
  list.replaceChildren(...[...document.querySelectorAll("#models input:enabled")].map((option) => {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button quiet wide";
    button.append(part("model-name", option.dataset.name), part("figure", price(option.dataset, dataset)));
    button.autofocus = option.checked;
    button.addEventListener("click", () => {
      dialog.close();
      choose(option.value);
    });
    item.append(button);
    return item;
  }));
  dialog.showModal();
}

function part(name, text) {
  const span = document.createElement("span");
  span.className = name;
  span.textContent = text;
  return span;
}

function price(model, reply) {
  const rates = ratesOf(model, reply.in);
  if (!rates || !reply.in) return "";
  return _("about %(amount)s", { amount: about(rates.input * reply.in + rates.output * reply.out) });
}

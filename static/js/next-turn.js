// About what the next turn of this chat costs with each model: said in the list when it opens.

import { about } from "./money.js";
import { _ } from "./words.js";

const MESSAGE = 400; // tokens of a short message, and of its reply, as figures.py takes them

export function priceNextTurns(models) {
  const { tokens, model, until } = document.getElementById("figures").dataset;
  for (const { value, labels: [label], dataset: { input, cached, output } } of models.querySelectorAll("input:enabled")) {
    const read = value === model && Date.parse(until) > Date.now() ? cached : input;
    const amount = about(tokens * read + MESSAGE * (Number(input) + Number(output)));
    label.querySelector(".model-next").textContent = tokens && input
      ? _("next turn about %(amount)s", { amount })
      : "";
  }
}

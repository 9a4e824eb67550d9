// About what the next turn of this chat costs with each model: said in the list when it opens.

import { about } from "./money.js";
import { ratesOf } from "./rates.js";
import { _ } from "./words.js";

const MESSAGE = 400; // tokens of a short message, and of its reply, as figures.py takes them

export function priceNextTurns(models) {
  const { tokens, model, until } = document.getElementById("figures").dataset;
  for (const { value, labels: [label], dataset } of models.querySelectorAll("input:enabled")) {
    const rates = ratesOf(dataset, tokens);
    const cached = value === model && Date.parse(until) > Date.now();
    label.querySelector(".model-next").textContent = tokens && rates
      ? _("next turn about %(amount)s", { amount: about(cost(rates, tokens, cached)) })
      : "";
  }
}

function cost({ input, cached: again, output }, tokens, cached) {
  return tokens * (cached ? again : input) + MESSAGE * (input + output);
}

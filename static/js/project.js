// The settings of a project: only what its model can do is offered.

import { Wishes } from "./wishes.js";

const form = document.getElementById("project-form");
const { model, max_tokens: longest } = form.elements;
const wishes = new Wishes(form);

function offer() {
  const { dataset } = model.selectedOptions[0];
  longest.max = dataset.most ?? "";
  if (dataset.offers) wishes.offer(dataset);
}

model.addEventListener("change", offer);
offer();

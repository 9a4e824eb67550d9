// The dashboard's comforts: filters apply as they are chosen, and a bar tells its parts.
import { followBars } from "./dashboard-chart.js";

for (const form of document.querySelectorAll(".selects")) {
  form.querySelector(".apply").hidden = true;
  form.addEventListener("change", () => form.requestSubmit());
  // Without scripts every parameter is sent; here an address holds only what was chosen.
  form.addEventListener("submit", () => {
    for (const field of form.elements) field.disabled = field.name !== "" && field.value === "";
  });
}

// A page kept by the browser for "back" must not come back with its filters switched off.
addEventListener("pageshow", () => {
  for (const field of document.querySelectorAll(".selects :disabled")) field.disabled = false;
});

// Where there is little room, filters wait behind their button until one is taken.
const more = document.querySelector(".more");
if (more && matchMedia("(max-width: 48rem)").matches) more.open = "taken" in more.dataset;

for (const chart of document.querySelectorAll("[data-chart]")) followBars(chart);

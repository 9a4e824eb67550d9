// A panel beside the bar under the pointer or in focus, filled from the chart's own table.

export function followBars(chart) {
  const tip = chart.querySelector(".tip");
  const columns = [...chart.querySelectorAll("a.column")];
  const rows = [...chart.querySelectorAll(".data tbody tr")];
  const heads = [...chart.querySelectorAll(".data thead th")].slice(1);
  if (!tip) return;
  columns.forEach((column, index) => {
    // The link's label says it all; the browser's own tooltip would only cover the panel.
    column.querySelector("title")?.remove();
    const show = () => {
      tip.replaceChildren(...told(rows[index], heads));
      place(tip, column);
    };
    column.addEventListener("pointerenter", show);
    column.addEventListener("focus", show);
    column.addEventListener("pointerleave", () => (tip.hidden = true));
    column.addEventListener("blur", () => (tip.hidden = true));
  });
  chart.addEventListener("keydown", (event) => {
    if (event.key === "Escape") tip.hidden = true;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const at = columns.indexOf(document.activeElement);
    if (!step || at < 0) return;
    event.preventDefault();
    columns[at + step]?.focus();
  });
}

function told(row, heads) {
  const values = [...row.querySelectorAll("td")];
  const total = values.at(-1);
  const head = element("p", "tip-head", row.querySelector("th").textContent.trim());
  head.append(element("strong", "", total.textContent));
  const parts = heads
    .slice(0, -1)
    .map((name, index) => ({ name, value: values[index] }))
    .filter(({ value }) => value.querySelector("data")?.value !== "0" && value.textContent.trim() !== "0");
  const list = element("ul", "");
  for (const { name, value } of parts.reverse()) {
    const item = element("li", "");
    const key = element("span", `key s${name.dataset.slot}`);
    item.append(key, element("span", "", name.textContent), element("span", "figure", value.textContent));
    list.append(item);
  }
  return parts.length > 1 ? [head, list] : [head];
}

// To the side of the bar that has more room, inside the plot.
function place(tip, column) {
  tip.hidden = false;
  const plot = tip.parentElement.getBoundingClientRect();
  const bar = column.querySelector(".hit").getBoundingClientRect();
  const middle = bar.left + bar.width / 2 - plot.left;
  const right = middle < plot.width / 2;
  const left = right ? middle + 14 : middle - 14 - tip.offsetWidth;
  tip.style.left = `${Math.max(0, Math.min(left, plot.width - tip.offsetWidth))}px`;
}

function element(name, className, text = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

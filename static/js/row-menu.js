// The menu of a row in the list: one for all rows, shown beside the button that opened it.

const GAP = 4;

export class RowMenu {
  #menu = document.getElementById("row-menu");
  #row;

  // act(row, what)
  constructor(act) {
    this.#menu.addEventListener("click", ({ target }) => {
      const item = target.closest("a, button");
      if (!item) return;
      this.#menu.hidePopover();
      if (item.dataset.act) act(this.#row, item.dataset.act);
    });
    this.#menu.addEventListener("keydown", (event) => this.#key(event));
    this.#menu.addEventListener("toggle", ({ newState }) => newState === "closed" && this.#giveBack());
  }

  open(button, row) {
    this.#row = row;
    this.#show("pin", "pinned" in row.dataset);
    this.#show("archive", "archived" in row.dataset);
    for (const link of this.#menu.querySelectorAll("[data-export]")) {
      link.href = `/c/${row.dataset.id}/export.${link.dataset.export}`;
    }
    const share = this.#menu.querySelector("[data-share]");
    if (share) share.href = `/c/${row.dataset.id}/share/`;
    this.#menu.showPopover({ source: button });
    const { left, bottom, top } = button.getBoundingClientRect();
    const { offsetWidth, offsetHeight, style } = this.#menu;
    const below = bottom + GAP + offsetHeight < innerHeight;
    style.top = `${below ? bottom + GAP : top - GAP - offsetHeight}px`;
    style.left = `${Math.max(GAP, Math.min(left, innerWidth - offsetWidth - GAP))}px`;
    this.#menu.querySelector("button").focus();
  }

  // The row may have been drawn anew meanwhile, and the button that had the focus with it.
  #giveBack() {
    const { activeElement: at, body } = document;
    if (at !== body && !this.#menu.contains(at)) return;
    const row = `[data-id="${CSS.escape(this.#row.dataset.id)}"]`;
    document.querySelector(`#rows ${row} [data-action=more]`)?.focus();
  }

  #show(what, on) {
    const item = this.#menu.querySelector(`[data-act=${what}]`);
    item.querySelector("[data-on]").hidden = !on;
    item.querySelector("[data-off]").hidden = on;
  }

  #key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const items = [...this.#menu.querySelectorAll("a, button")];
    const at = items.indexOf(document.activeElement);
    items.at((at + step) % items.length).focus();
  }
}

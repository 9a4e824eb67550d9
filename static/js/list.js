// The conversations on the left: renamed in place, deleted with undo, kept as other tabs change them.

import { element } from "./html.js";
import { post } from "./post.js";
import { editInPlace, rename } from "./titles.js";
import { toast } from "./toast.js";

const DELETED = "deleted";

export class List {
  #box = document.getElementById("rows");
  #find = document.getElementById("find");
  #current;

  constructor(current) {
    this.#current = current;
    this.#box.addEventListener("click", (event) => this.#click(event));
    this.#find.addEventListener("input", () => this.#filter());
    this.#find.addEventListener("keydown", (event) => this.#key(event));
    this.#offerUndo();
  }

  set current(id) {
    this.#current = id;
    for (const link of this.#box.querySelectorAll("a[aria-current]")) link.ariaCurrent = null;
    this.#mark();
  }

  search() {
    const list = document.getElementById("sidebar");
    if (getComputedStyle(list).position === "fixed" && !list.matches(":popover-open")) list.showPopover();
    this.#find.focus();
    this.#find.select();
  }

  hear({ id, deleted, html, title }) {
    const old = this.#row(id);
    if (id === this.#current) rename(title);
    if (deleted) return this.#remove(old);
    const fresh = element(html);
    if (old?.querySelector("input")) return old.replaceWith(old); // being renamed here
    if (old && old.dataset.active === fresh.dataset.active) old.replaceWith(fresh);
    else this.#first(old, fresh);
    return this.#mark();
  }

  #row(id) {
    return this.#box.querySelector(`[data-id="${CSS.escape(id)}"]`);
  }

  #mark() {
    const link = this.#current && this.#row(this.#current)?.querySelector("a");
    if (link) link.ariaCurrent = "page";
  }

  #remove(row) {
    const section = row?.closest("section");
    row?.remove();
    if (section && !section.querySelector("li")) section.remove();
    this.#box.querySelector(".rows-none").hidden = Boolean(this.#box.querySelector("li"));
  }

  // It moved to the top: something was just said there, or it came back.
  #first(old, fresh) {
    const newest = this.#box.querySelector("li");
    if (old) old.remove();
    if (newest && newest !== old && newest.dataset.active > fresh.dataset.active) {
      this.#inOrder(fresh);
      return;
    }
    let today = document.getElementById("today");
    if (!today) {
      today = element('<section id="today"><h2>Today</h2><ul class="row-list"></ul></section>');
      this.#box.prepend(today);
    }
    today.querySelector("ul").prepend(fresh);
    this.#box.querySelector(".rows-none").hidden = true;
  }

  #inOrder(fresh) {
    const rows = [...this.#box.querySelectorAll("li")];
    const before = rows.filter(({ dataset }) => dataset.active > fresh.dataset.active).at(-1);
    before.after(fresh);
  }

  #click(event) {
    const button = event.target.closest("[data-action]");
    const row = button?.closest("li");
    if (button?.dataset.action === "rename") this.#rename(row);
    if (button?.dataset.action === "delete") this.#delete(row);
  }

  #rename(row) {
    const link = row.querySelector("a");
    editInPlace(link, async (title) => {
      link.textContent = title;
      await post(`/c/${row.dataset.id}/rename/`, { title });
    });
  }

  async #delete(row) {
    const { id } = row.dataset;
    try {
      await post(`/c/${id}/delete/`, {});
    } catch (fault) {
      toast(fault.message);
      return;
    }
    this.#remove(row);
    if (id === this.#current) {
      sessionStorage.setItem(DELETED, id);
      location.assign("/");
    } else {
      this.#undo(id, false);
    }
  }

  #offerUndo() {
    const id = sessionStorage.getItem(DELETED);
    sessionStorage.removeItem(DELETED);
    if (id) this.#undo(id, true);
  }

  #undo(id, open) {
    toast("Chat deleted.", {
      action: "Undo",
      run: async () => {
        await post(`/c/${id}/restore/`, {}).catch(({ message }) => toast(message));
        if (open) location.assign(`/c/${id}/`);
      },
    });
  }

  #filter() {
    const wanted = this.#find.value.trim().toLowerCase();
    for (const row of this.#box.querySelectorAll("li")) {
      row.hidden = !row.textContent.toLowerCase().includes(wanted);
    }
    for (const section of this.#box.querySelectorAll("section")) {
      section.hidden = !section.querySelector("li:not([hidden])");
    }
  }

  #key(event) {
    if (event.key === "Enter") this.#box.querySelector("li:not([hidden]) a")?.click();
    if (event.key !== "Escape" || !this.#find.value) return;
    event.stopPropagation();
    this.#find.value = "";
    this.#filter();
  }
}

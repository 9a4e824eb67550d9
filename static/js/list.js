// The conversations on the left: renamed in place, deleted with undo, kept as other tabs change them.

import { element } from "./html.js";
import { Older } from "./older.js";
import { post } from "./post.js";
import { RowMenu } from "./row-menu.js";
import { chooseProject } from "./projects.js";
import { editInPlace, rename } from "./titles.js";
import { toast } from "./toast.js";
import { _ } from "./words.js";

const DELETED = "deleted";
// The headings, from the top.
const HEADINGS = {
  Pinned: _("Pinned"),
  Today: _("Today"),
  Yesterday: _("Yesterday"),
  "Previous 7 days": _("Previous 7 days"),
  Older: _("Older"),
};
const GROUPS = Object.keys(HEADINGS);

export class List {
  #box = document.getElementById("rows");
  #menu = new RowMenu((row, act) => this.#mark(row, act));
  #current;

  constructor(current) {
    this.#current = current;
    this.#box.addEventListener("click", (event) => this.#click(event));
    new Older(this.#box, (rows) => this.#add(rows));
    this.#offerUndo();
  }

  set current(id) {
    this.#current = id;
    for (const link of this.#box.querySelectorAll("a[aria-current]")) link.ariaCurrent = null;
    this.#point();
  }

  hear({ id, deleted, html, title }) {
    const old = this.#row(id);
    if (id === this.#current) rename(title);
    const fresh = element(html);
    if (deleted || "archived" in fresh.dataset) return this.#leave(old);
    if (old?.querySelector("input")) return undefined; // being renamed here
    this.#replace(old, fresh);
    return this.#point();
  }

  // Whoever has the focus in it keeps it.
  #replace(old, fresh) {
    const parts = (row) => [...(row?.querySelectorAll("a, button") ?? [])];
    const focused = parts(old).indexOf(document.activeElement);
    this.#remove(old);
    this.#place(fresh);
    if (focused < 0) return;
    parts(fresh)[0].focus(); // the buttons beside a link are shown when it has the focus
    parts(fresh)[focused].focus();
  }

  #row(id) {
    return this.#box.querySelector(`[data-id="${CSS.escape(id)}"]`);
  }

  #point() {
    const link = this.#current && this.#row(this.#current)?.querySelector("a");
    if (link) link.ariaCurrent = "page";
  }

  #remove(row) {
    const section = row?.closest("section");
    row?.remove();
    if (section && !section.querySelector("li")) section.remove();
    this.#box.querySelector(".rows-none").hidden = Boolean(this.#box.querySelector("li"));
  }

  // A focus in it goes to its neighbour.
  #leave(row) {
    const focused = row?.contains(document.activeElement);
    const next = row?.nextElementSibling ?? row?.previousElementSibling ?? this.#box;
    this.#remove(row);
    if (focused) next.querySelector("a")?.focus();
  }

  // Under its heading, before the first one that is older.
  #place(fresh) {
    const list = this.#section(fresh.dataset.group).querySelector("ul");
    const older = [...list.children].find(({ dataset }) => dataset.active < fresh.dataset.active);
    list.insertBefore(fresh, older ?? null);
    this.#box.querySelector(".rows-none").hidden = true;
  }

  #section(group) {
    const sections = [...this.#box.querySelectorAll("section")];
    const there = sections.find(({ dataset }) => dataset.group === group);
    if (there) return there;
    const made = element('<section><h2></h2><ul class="row-list"></ul></section>');
    made.dataset.group = group;
    made.querySelector("h2").textContent = HEADINGS[group];
    const below = sections.find(({ dataset }) => GROUPS.indexOf(dataset.group) > GROUPS.indexOf(group));
    this.#box.insertBefore(made, below ?? this.#box.querySelector(".older, .rows-none"));
    return made;
  }

  #add(rows) {
    for (const row of rows) if (!this.#row(row.dataset.id)) this.#place(row);
    this.#point();
  }

  #click(event) {
    const button = event.target.closest("[data-action]");
    const row = button?.closest("li");
    if (button?.dataset.action === "rename") this.#rename(row);
    if (button?.dataset.action === "delete") this.#delete(row);
    if (button?.dataset.action === "more") this.#menu.open(button, row);
  }

  // Pinned or archived: every tab hears of it, and this one does not wait.
  async #mark(row, act) {
    const { id, pinned, archived } = row.dataset;
    if (act === "rename") return this.#rename(row);
    if (act === "delete") return this.#delete(row);
    if (act === "move") return chooseProject(row);
    const on = (act === "pin" ? pinned : archived) === undefined;
    try {
      await post(`/c/${id}/${act}/`, { on });
    } catch ({ message }) {
      return toast(message);
    }
    if (act === "archive") {
      this.#leave(row);
      toast(on ? _("Chat archived.") : _("Chat is back in the list."), {
        action: _("Undo"),
        run: () => post(`/c/${id}/archive/`, { on: !on }).catch(({ message }) => toast(message)),
      });
    }
    return undefined;
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
    this.#leave(row);
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
    toast(_("Chat deleted."), {
      action: _("Undo"),
      run: async () => {
        await post(`/c/${id}/restore/`, {}).catch(({ message }) => toast(message));
        if (open) location.assign(`/c/${id}/`);
      },
    });
  }
}

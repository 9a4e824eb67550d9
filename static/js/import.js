// A file of many chats is larger than one request may be: they are chosen here and sent one by one.

import { post } from "./post.js";
import { _, ngettext } from "./words.js";

const by = (id) => document.getElementById(id);
const form = by("import");
const list = by("choosing").querySelector("ul");
const bar = by("progress");
let chats = [];

by("file").addEventListener("change", async ({ target }) => {
  chats = await read(target.files[0]);
  by("choosing").hidden = chats.length < 2;
  list.replaceChildren(...chats.map(({ title, name }) => choice(title || name)));
});

by("all").addEventListener("change", ({ target }) => {
  for (const box of boxes()) box.checked = target.checked || box.disabled;
});

form.addEventListener("submit", (event) => {
  if (chats.length < 2) return; // the server reads it whole
  event.preventDefault();
  bring();
});

const boxes = () => [...list.querySelectorAll("input")];

// The chats of a file that has several; none of one that is better judged by the server.
async function read(file) {
  try {
    const found = JSON.parse(await file.text());
    return Array.isArray(found) ? found.map((chat) => chat ?? {}) : [];
  } catch {
    return [];
  }
}

function choice(title) {
  const label = document.createElement("label");
  const box = document.createElement("input");
  const words = document.createElement("span");
  box.type = "checkbox";
  box.checked = true;
  words.textContent = String(title ?? _("Imported chat"));
  label.append(box, words);
  const item = document.createElement("li");
  item.append(label);
  return item;
}

async function bring() {
  const button = form.querySelector("button");
  const chosen = chats.map((chat, at) => [chat, boxes()[at]])
    .filter(([, box]) => box.checked && !box.disabled);
  button.disabled = true;
  bar.hidden = false;
  bar.max = chosen.length;
  bar.value = 0;
  let failed = 0;
  for (const [chat, box] of chosen) {
    await one(chat, box).catch(({ message }) => {
      failed += 1;
      note(box, message);
    });
    bar.value += 1;
  }
  button.disabled = false;
  tell(chosen.length - failed, failed);
}

// What is in is not brought in twice when the button is pressed again.
async function one(chat, box) {
  if (new Blob([JSON.stringify(chat)]).size > Number(form.dataset.most)) {
    throw new Error(_("This chat is too large."));
  }
  await post(form.dataset.each, chat);
  box.disabled = true;
  note(box, _("imported"), "done");
}

function note(box, message, kind = "failed") {
  const words = box.parentElement;
  words.querySelector("small")?.remove();
  const said = document.createElement("small");
  said.className = kind;
  said.textContent = message;
  words.append(said);
}

function tell(done, failed) {
  const box = by("told");
  const link = document.createElement("a");
  link.href = form.dataset.list;
  link.textContent = _("Show my chats");
  const words = ngettext("%(n)s chat was imported", "%(n)s chats were imported", done);
  const rest = failed ? `, ${ngettext("%(n)s could not be", "%(n)s could not be", failed)}` : "";
  box.replaceChildren(`${words}${rest}. `, link);
  box.hidden = false;
  box.scrollIntoView({ block: "nearest" });
}

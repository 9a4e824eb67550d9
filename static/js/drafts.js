// What was typed and not sent yet, per conversation, in this browser.

const name = (conversation) => `draft:${conversation ?? "new"}`;

const files = (conversation) => `files:${conversation ?? "new"}`;

export function loadFiles(conversation) {
  return JSON.parse(localStorage.getItem(files(conversation)) ?? "[]");
}

export function saveFiles(conversation, list) {
  if (list.length) localStorage.setItem(files(conversation), JSON.stringify(list));
  else localStorage.removeItem(files(conversation));
}

export function load(conversation) {
  return localStorage.getItem(name(conversation)) ?? "";
}

export function save(conversation, text) {
  if (text) localStorage.setItem(name(conversation), text);
  else localStorage.removeItem(name(conversation));
}

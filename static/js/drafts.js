// What was typed and not sent yet, per conversation, in this browser.

const name = (conversation) => `draft:${conversation ?? "new"}`;

export function load(conversation) {
  return localStorage.getItem(name(conversation)) ?? "";
}

export function save(conversation, text) {
  if (text) localStorage.setItem(name(conversation), text);
  else localStorage.removeItem(name(conversation));
}

// Keys that work anywhere on the page.

const TYPING = "input, textarea, select, [contenteditable]";

// actions: { write, search, create, help, stop }
export function listen(actions) {
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.defaultPrevented || document.querySelector("dialog[open]")) return;
    const action = wanted(event, event.target.closest(TYPING) !== null);
    if (!action) return;
    if (action !== "stop") event.preventDefault();
    actions[action]();
  });
}

function wanted({ key, ctrlKey, metaKey, shiftKey, altKey }, typing) {
  const control = ctrlKey || metaKey;
  const name = key.toLowerCase();
  if (altKey) return null;
  if (control) return name === "k" ? "search" : shiftKey && name === "o" ? "create" : null;
  if (key === "Escape") return "stop";
  if (typing) return null;
  return { "/": "write", "?": "help" }[key] ?? null;
}

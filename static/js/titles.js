// Titles of conversations: shown on the page, and edited where they stand.

import { toast } from "./toast.js";
import { _ } from "./words.js";

// The page's title and heading follow the conversation's.
export function rename(title) {
  document.getElementById("title").textContent = title;
  document.title = document.title.replace(/^.*(?= · )/s, () => title);
}

// Swap a text for an input; Enter or leaving keeps what was typed, Escape does not.
export function editInPlace(shown, save) {
  const input = document.createElement("input");
  input.className = "input small rename";
  input.value = shown.textContent.trim();
  input.maxLength = 200;
  input.ariaLabel = _("Title");
  shown.hidden = true;
  shown.after(input);
  input.focus();
  input.select();
  let open = true;
  const close = (keep) => {
    if (!open) return;
    open = false; // removing the input blurs it, and asks again
    const title = input.value.trim();
    const changed = keep && title && title !== shown.textContent.trim();
    shown.hidden = false;
    input.remove();
    if (changed) save(title).catch(({ message }) => toast(message));
  };
  input.addEventListener("blur", () => close(true));
  input.addEventListener("keydown", (event) => {
    if (event.isComposing || (event.key !== "Enter" && event.key !== "Escape")) return;
    event.preventDefault();
    event.stopPropagation();
    close(event.key === "Enter");
    shown.focus();
  });
}

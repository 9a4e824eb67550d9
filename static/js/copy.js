// Copies code blocks as they are, and messages as the Markdown they were written in.

import { announce } from "./announce.js";
import { toast } from "./toast.js";
import { _ } from "./words.js";

export async function copyCode(button) {
  await copy(button, button.closest("figure").querySelector("code").textContent);
}

export async function copyMessage(button) {
  const { id } = button.closest("article").dataset;
  // The text is fetched inside the click's permission, which some browsers tie to this call.
  const text = fetch(`/m/${id}/text/`).then((response) => {
    if (!response.ok) throw new Error(response.statusText);
    return response.text();
  });
  await copy(button, text);
}

async function copy(button, text) {
  try {
    const blob = Promise.resolve(text).then((words) => new Blob([words], { type: "text/plain" }));
    await navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
  } catch {
    if (!await copiedByHand(text)) return toast(_("It could not be copied."));
  }
  button.classList.add("copied");
  setTimeout(() => button.classList.remove("copied"), 1500);
  return announce(_("Copied"));
}

// The old way, the only one over plain http: the text is selected in a field, and copied from there.
async function copiedByHand(text) {
  const value = await Promise.resolve(text).catch(() => null);
  if (value === null) return false;
  const field = Object.assign(document.createElement("textarea"), { value, className: "hidden-visually" });
  const before = document.activeElement;
  document.body.append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  before.focus({ preventScroll: true });
  return copied;
}

// Small JSON requests to our own server.

import { _ } from "./words.js";

export const token = () => document.querySelector("[name=csrfmiddlewaretoken]").value;

export async function post(url, data, { signal } = {}) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": token() },
    body: JSON.stringify(data),
    signal,
  });
  const answer = await response.json().catch(() => ({}));
  if (response.status === 413) throw new Error(_("That is too much text to send at once."));
  if (!response.ok) throw new Error(answer.error ?? _("That did not work. Try again in a moment."));
  return answer;
}

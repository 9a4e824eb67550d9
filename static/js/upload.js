// One file on its way to the server, in pieces that any proxy lets through.

import { post, token } from "./post.js";
import { _ } from "./words.js";

// Resolves with { id, name, media_type }; told(share) hears how far it is, from 0 to 1.
export async function upload(file, { step, signal, told }) {
  const { id } = await post("/files/", { name: file.name, size: file.size }, { signal });
  let answer;
  for (let at = 0; at < file.size; at += step) {
    answer = await piece(`/files/${id}/piece/?at=${at}`, file.slice(at, at + step), signal);
    told(Math.min(1, (at + step) / file.size));
  }
  return { id, ...answer };
}

export async function forget(id) {
  await post(`/files/${id}/remove/`, {}).catch(() => null); // else it goes by itself in a day
}

async function piece(url, body, signal) {
  const headers = { "Content-Type": "application/octet-stream", "X-CSRFToken": token() };
  const response = await fetch(url, { method: "POST", headers, body, signal });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.error ?? _("It did not arrive. Remove it, and try again."));
  return answer;
}

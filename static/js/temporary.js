// Closing a temporary chat: its words are removed, and the page is left.

import * as drafts from "./drafts.js";
import { post } from "./post.js";
import { toast } from "./toast.js";

export function closable(form, conversation) {
  form?.addEventListener("submit", async (event) => {
    event.preventDefault();
    const id = conversation();
    try {
      if (id) await post(`/c/${id}/close/`, {});
      drafts.save(id, "");
      drafts.saveFiles(id, []);
      location.assign("/");
    } catch ({ message }) {
      toast(message);
    }
  });
}

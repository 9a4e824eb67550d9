// Moves a chat into a project, or out of one.

import { post } from "./post.js";
import { toast } from "./toast.js";
import { _ } from "./words.js";

const dialog = document.getElementById("move");
const form = dialog.querySelector("form");

export function chooseProject(row) {
  const { id, project = "" } = row.dataset;
  for (const place of form.querySelectorAll("[name=project]")) place.checked = place.value === project;
  dialog.returnValue = "";
  dialog.showModal();
  dialog.addEventListener("close", () => {
    const chosen = new FormData(form).get("project");
    if (dialog.returnValue && chosen !== project) move(row, id, chosen);
  }, { once: true });
}

async function move(row, id, project) {
  try {
    await post(`/c/${id}/move/`, { project });
  } catch ({ message }) {
    toast(message);
    return;
  }
  row.dataset.project = project;
  if (row.closest(".of-project")) row.remove();
  toast(project ? _("Chat moved.") : _("Chat taken out of its project."));
}

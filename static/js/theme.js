// Changes the theme at once; the server keeps it in a cookie, so that the next page comes in it.

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-theme-switch]");
  if (!form) return;
  event.preventDefault();
  const body = new FormData(form, event.submitter);
  show(body.get("theme"));
  await fetch(form.action, { method: "POST", body, redirect: "manual", keepalive: true });
});

function show(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  document.querySelector("meta[name='color-scheme']")?.remove();
  for (const button of document.querySelectorAll("[data-theme-switch] button")) {
    button.setAttribute("aria-pressed", button.value === theme);
  }
}

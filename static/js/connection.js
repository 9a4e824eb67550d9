// Says when the server is out of reach, and what to do when it will not have us back.

import { _ } from "./words.js";

const GRACE = 1_000;
const FINAL = {
  4401: [_("You are signed out. Your draft is kept."), _("Sign in")],
  4403: [_("Your access has ended. An admin can restore it."), _("Reload")],
  4409: [_("There is a newer version of this page."), _("Reload")],
};

export function watch(socket, box) {
  let timer = 0;
  let met = false;

  const say = (text, action = "") => {
    box.textContent = text;
    box.hidden = !text;
    if (action) {
      const link = document.createElement("a");
      link.href = location.href;
      link.textContent = action;
      box.append(" ", link);
    }
  };
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(() => say(met ? _("Reconnecting…") : _("Connecting…")), GRACE);
  };

  soon();
  socket.addEventListener("closed", ({ detail: code }) => {
    clearTimeout(timer);
    if (FINAL[code]) say(...FINAL[code]);
    else soon();
  });
  socket.addEventListener("frame", ({ detail }) => {
    if (detail.type !== "welcome") return;
    met = true;
    clearTimeout(timer);
    say("");
  });
}

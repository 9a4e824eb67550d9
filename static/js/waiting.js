// A reply that was refused for a time: until when on the reader's clock, and no Retry before that.

import { _ } from "./words.js";

const language = document.documentElement.lang || "en";
const locale = language === "en" ? "en-GB" : language; // dates as the server writes them
const CLOCK = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const DAY = { day: "numeric", month: "short", year: "numeric" };

export function wait(box) {
  for (const note of box.querySelectorAll("[data-wait]")) hold(note);
}

// The server says how long, too: a clock that is wrong here is wrong in the words only.
function hold(note) {
  const { after, wait } = note.dataset;
  const over = Date.now() + 1000 * wait;
  delete note.dataset.wait;
  note.textContent = _("Try again after %(time)s.", { time: clock(new Date(after)) });
  const look = setInterval(() => {
    if (note.isConnected && Date.now() < over) return;
    clearInterval(look);
    const button = note.closest(".failed")?.querySelector("[data-action=again]");
    if (button) button.disabled = false;
    note.remove();
  }, 1000);
}

function clock(moment) {
  const today = new Date().toDateString() === moment.toDateString();
  return new Intl.DateTimeFormat(locale, today ? CLOCK : { ...DAY, ...CLOCK }).format(moment);
}

// Tells screen readers what happened, politely and once.

const LONGEST = 600;

export function announce(text) {
  const box = document.getElementById("announcer");
  box.textContent = "";
  // Emptied first, so that the same words twice are read twice.
  requestAnimationFrame(() => {
    box.textContent = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  });
}

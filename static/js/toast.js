// A short message at the bottom, with at most one thing to do about it.

export function toast(text, { action, run, seconds = 8 } = {}) {
  const box = document.createElement("div");
  box.className = "toast";
  const words = document.createElement("span");
  words.textContent = text;
  box.append(words);
  const before = document.activeElement;
  if (action) box.append(button(action, () => { before.focus(); box.remove(); run(); }));
  raise().append(box);
  let timer = setTimeout(() => box.remove(), seconds * 1000);
  // Never away under the pointer or the focus.
  for (const stay of ["pointerenter", "focusin"]) {
    box.addEventListener(stay, () => clearTimeout(timer));
  }
  for (const leave of ["pointerleave", "focusout"]) {
    box.addEventListener(leave, () => { timer = setTimeout(() => box.remove(), 3000); });
  }
}

// Above the list on a phone, too, which lies over everything else.
function raise() {
  const place = document.getElementById("toasts");
  place.popover = "manual";
  if (place.matches(":popover-open")) place.hidePopover();
  place.showPopover();
  return place;
}

function button(text, run) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "button small";
  made.textContent = text;
  made.addEventListener("click", run);
  // One of its own buttons does not close the list on a phone, which any click elsewhere does.
  made.popoverTargetElement = document.querySelector("#sidebar:popover-open");
  made.popoverTargetAction = "show";
  return made;
}

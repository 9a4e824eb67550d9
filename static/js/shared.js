// A shared chat: code can be copied, and nothing else be done.

import { copyCode } from "./copy.js";

document.addEventListener("click", ({ target }) => {
  const button = target.closest("button.copy");
  if (button) copyCode(button);
});

// <button data-copies="id of a field" data-done="Copied"><span>Copy</span></button>

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copies]");
  if (!button) return;
  const field = document.getElementById(button.dataset.copies);
  field.select();
  if (!await copied(field.value)) return; // it is selected, and can be copied by hand
  button.focus();
  const word = button.querySelector("span");
  const before = word.textContent;
  word.textContent = button.dataset.done;
  setTimeout(() => { word.textContent = before; }, 2000);
});

// Over plain http there is only the old way.
function copied(text) {
  const copy = async () => navigator.clipboard.writeText(text);
  return copy().then(() => true, () => document.execCommand("copy"));
}

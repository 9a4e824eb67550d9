// A picture in a message, large, without leaving the page.

const box = document.getElementById("lightbox");

export function enlarge(link) {
  const shown = box.querySelector("img");
  shown.src = link.href;
  shown.alt = link.title;
  box.querySelector("a").href = link.href;
  box.showModal();
}

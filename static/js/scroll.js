// Follows the end of the conversation while the reader is there, and never moves them otherwise.

const NEAR = 48; // pixels

export class Follow {
  #box;
  #button;
  #top = 0;
  #following;

  constructor(box, button) {
    this.#box = box;
    this.#button = button;
    this.#following = box.querySelector("article") !== null;
    box.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    button.addEventListener("click", () => {
      this.toEnd();
      box.focus({ preventScroll: true }); // the button hides, and would take the focus with it
    });
    const sizes = new ResizeObserver(() => this.#grown());
    sizes.observe(box);
    sizes.observe(box.firstElementChild);
  }

  toEnd() {
    this.#following = true;
    this.#grown();
  }

  #grown() {
    if (this.#following) this.#box.scrollTop = this.#box.scrollHeight;
    this.#show();
  }

  #scrolled() {
    const up = this.#box.scrollTop < this.#top;
    this.#top = this.#box.scrollTop;
    if (this.#rest() < NEAR) this.#following = true;
    if (up && this.#rest() > 1) this.#following = false;
    this.#show();
  }

  #rest() {
    return this.#box.scrollHeight - this.#box.clientHeight - this.#box.scrollTop;
  }

  #show() {
    this.#button.hidden = this.#rest() < NEAR * 3;
  }
}

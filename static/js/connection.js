// Says when the server is out of reach, and what to do when it will not have us back.

const GRACE = 1_000;
const FINAL = {
  4401: ["You are signed out. Your draft is kept.", "Sign in"],
  4403: ["Your access has ended. An admin can restore it.", "Reload"],
  4409: ["There is a newer version of this page.", "Reload"],
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
    timer = setTimeout(() => say(met ? "Reconnecting…" : "Connecting…"), GRACE);
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

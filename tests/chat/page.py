"""What a page makes of the frames it gets: docs/protocol.md's algorithm, in Python."""

from typing import Any

from chatapp.chat.text import after, units

Frame = dict[str, Any]


class Page:
    """One live reply in one tab. `asks` counts the times it would send `resume`."""

    def __init__(self) -> None:
        self.epoch = 0
        self.length = 0
        self.upto = 0
        self.html: list[str] = []
        self.frozen = ""
        self.tail = ""
        self.thinking = ""
        self.asks = 0
        self.done: Frame | None = None

    @property
    def text(self) -> str:
        return self.frozen + self.tail

    def apply(self, frame: Frame) -> None:
        if frame.get("epoch", self.epoch) < self.epoch:
            return
        match frame["type"]:
            case "delta":
                self._delta(frame)
            case "snapshot":
                self._snapshot(frame)
            case "done":
                self.done = frame

    def _delta(self, frame: Frame) -> None:
        if frame["epoch"] > self.epoch or frame["off"] > self.length:
            self.asks += 1
            return
        have = self.length - frame["off"]
        if have <= units(frame["s"]):
            piece = after(frame["s"], have)
            self.tail += piece
            self.length += units(piece)
        self._blocks(frame.get("blocks", []))
        self.thinking += frame.get("thinking", "")

    def _snapshot(self, frame: Frame) -> None:
        if frame["from"] == 0:
            self.html, self.frozen, self.upto, self.tail = [], "", 0, ""
        elif frame["from"] != self.upto or frame["epoch"] != self.epoch:
            self.asks += 1
            return
        self.epoch = frame["epoch"]
        for block in frame["blocks"]:
            self.html.append(block["html"])
            self.upto = block["upto"]
        self.tail = frame["tail"]
        # The page does not need frozen words; their length is the block's end.
        self.frozen = "\0" * self.upto if not self.frozen else self.frozen
        self.length = self.upto + units(self.tail)
        self.thinking = frame["thinking"]

    def _blocks(self, blocks: list[Frame]) -> None:
        for block in blocks:
            if block["from"] == self.upto:
                size = block["upto"] - block["from"]
                self.tail = after(self.tail, size)
                self.html.append(block["html"])
                self.upto = block["upto"]

"""What a page makes of the frames it gets: docs/protocol.md's algorithm, in Python."""

from typing import Any

from chatapp.chat.text import after, units

Frame = dict[str, Any]


class Page:
    """One live reply in one tab. `asks` says that it would now send `resume`."""

    def __init__(self) -> None:
        self.epoch = 0
        self.length = 0
        self.upto = 0
        self.html = ""
        self.tail = ""
        self.thinking = ""
        self.asks = False
        self.done: Frame | None = None

    def apply(self, frame: Frame) -> None:
        match frame["type"]:
            case "delta" if frame["epoch"] == self.epoch:
                self._delta(frame)
            case "delta" if frame["epoch"] > self.epoch:
                self.asks = True
            case "snapshot" if frame["epoch"] >= self.epoch:
                self._snapshot(frame)
            case "done" if frame["epoch"] >= self.epoch:
                self.done = frame

    def _delta(self, frame: Frame) -> None:
        have = self.length - frame["off"]
        if have < 0:
            self.asks = True
            return
        if have < units(frame["s"]):
            piece = after(frame["s"], have)
            self.tail += piece
            self.length += units(piece)
        self._think(frame.get("thinking", ""), frame.get("at", 0))
        for block in frame.get("blocks", []):
            if block["from"] == self.upto and block["upto"] <= self.length:
                self.tail = after(self.tail, block["upto"] - block["from"])
                self.html += block["html"]
                self.upto = block["upto"]

    def _think(self, words: str, at: int) -> None:
        have = units(self.thinking) - at
        if have < 0:
            self.asks = True
        elif have < units(words):
            self.thinking += after(words, have)

    def _snapshot(self, frame: Frame) -> None:
        if frame["from"] == 0:
            self.html, self.upto = "", 0
        elif frame["from"] != self.upto or frame["epoch"] != self.epoch:
            self.asks = True
            return
        if frame["epoch"] > self.epoch:
            self.thinking = ""
        self.epoch = frame["epoch"]
        for block in frame["blocks"]:
            self.html += block["html"]
            self.upto = block["upto"]
        self.tail = frame["tail"]
        if units(frame["thinking"]) > units(self.thinking):
            self.thinking = frame["thinking"]
        self.length = self.upto + units(self.tail)
        self.asks = False

"""A file in a prompt: named there, and read only when the prompt is asked or counted."""

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TEXT = "text/plain"
PDF = "application/pdf"
IMAGES = ("image/jpeg", "image/png", "image/gif", "image/webp")
# Tokens. A full-resolution image takes at most 4,784; no bound is known for a PDF's compressed
# pages, so it is set above every context window, and only a count can tell.
IMAGE_TOKENS = 6_000
UNBOUNDED = 10**8
# About what a page of a PDF takes, in tokens and in bytes.
PAGE_TOKENS = 2_500
PAGE_BYTES = 60_000


@dataclass(frozen=True)
class File:
    """One attachment: what is at `path` never changes, so its name stands for it."""

    path: Path
    media_type: str
    title: str
    size: int

    @property
    def most_tokens(self) -> int:
        """Never fewer than it has. A token of text is at least one byte."""
        if self.media_type in IMAGES:
            return IMAGE_TOKENS
        return UNBOUNDED if self.media_type == PDF else self.size + len(self.title.encode()) + 64

    @property
    def about_tokens(self) -> int:
        """A guess, when the count is not to be had."""
        if self.media_type in IMAGES:
            return IMAGE_TOKENS // 4
        if self.media_type == PDF:
            return PAGE_TOKENS * (1 + self.size // PAGE_BYTES)
        return self.size // 3

    def block(self) -> dict[str, Any]:
        """The API's content block. A file that was lost is said to be, and the talk goes on."""
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return {"type": "text", "text": f"[The file {self.title} was lost.]"}
        if self.media_type in IMAGES:
            return {"type": "image", "source": _base64(self.media_type, content)}
        source = (
            _base64(PDF, content)
            if self.media_type == PDF
            else {"type": "text", "media_type": TEXT, "data": content.decode("utf-8-sig")}
        )
        return {"type": "document", "source": source, "title": self.title}


def _base64(media_type: str, content: bytes) -> dict[str, str]:
    data = base64.b64encode(content).decode()
    return {"type": "base64", "media_type": media_type, "data": data}

"""What kind of file some bytes are, by the bytes themselves: names and browsers say anything."""

import struct
from collections.abc import Iterator

from chatapp.claude.files import PDF, TEXT

# Control characters that text may have: tab, line feed, form feed, carriage return, escape.
ALLOWED = {9, 10, 12, 13, 27}
BINARY = bytes(set(range(32)) - ALLOWED)
# JPEG's markers that begin a frame and so hold its size; the four between them do not.
FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}

Size = tuple[int, int]


def sniff(content: bytes) -> str:
    """image/png, image/jpeg, image/gif, image/webp, application/pdf, text/plain, or ""."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "image/webp"
    if content.startswith(b"%PDF-"):
        return PDF
    return TEXT if _is_text(content) else ""


def pixels(content: bytes) -> Size | None:
    """Width and height as the image's header says; None when it has none that is sound."""
    try:
        match sniff(content):
            case "image/png":
                return _unpack(">II", content, 16)
            case "image/gif":
                return _unpack("<HH", content, 6)
            case "image/webp":
                return _webp(content)
            case "image/jpeg":
                return next(_jpeg(content), None)
    except struct.error:
        pass
    return None


def _unpack(form: str, content: bytes, at: int) -> Size:
    first, second = struct.unpack_from(form, content, at)
    return first, second


def _webp(content: bytes) -> Size | None:
    match content[12:16]:
        case b"VP8 ":
            width, height = _unpack("<HH", content, 26)
            return width & 0x3FFF, height & 0x3FFF
        case b"VP8L":
            (bits,) = struct.unpack_from("<I", content, 21)
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8X":
            wide, high = content[24:27], content[27:30]
            return int.from_bytes(wide, "little") + 1, int.from_bytes(high, "little") + 1
    return None


def _jpeg(content: bytes) -> Iterator[Size]:
    """The sizes its frames say, segment by segment."""
    at = 2
    while True:
        start, marker, length = struct.unpack_from(">BBH", content, at)
        if start != 0xFF or length < 2:
            return
        if marker in FRAMES:
            height, width = _unpack(">HH", content, at + 5)
            yield width, height
        at += 2 + length


def _is_text(content: bytes) -> bool:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return bool(text.strip()) and content.translate(None, BINARY) == content

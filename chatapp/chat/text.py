"""Text as the wire counts it: UTF-16 code units, free of what databases and JSON refuse."""


def units(text: str) -> int:
    """How long JavaScript says it is."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def after(text: str, offset: int) -> str:
    """The text from a UTF-16 offset on, which must not split a surrogate pair."""
    if text.isascii():
        return text[offset:]
    return text.encode("utf-16-le")[2 * offset :].decode("utf-16-le")


def clean(text: str) -> str:
    """Surrogate pairs joined; NUL and lone surrogates become U+FFFD."""
    text = text.replace("\0", "\ufffd")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def pieces(text: str, size: int) -> list[str]:
    """The text cut after every `size` characters; one empty piece for no text."""
    return [text[at : at + size] for at in range(0, len(text), size)] or [""]

"""Log lines that nobody outside can forge: control characters of a message are shown, not obeyed."""

import logging

ESCAPES = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}


class LineFormatter(logging.Formatter):
    """One record, one line; only tracebacks, which are ours, add more."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        return super().formatMessage(record).translate(ESCAPES)

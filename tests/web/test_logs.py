"""Nobody can write a log line by what they send."""

import logging

from chatapp.web.logs import LineFormatter


def test_control_characters_are_shown() -> None:
    text = "path /a\n2026-01-01 ERROR forged \x1b[31m\u0085\x7f"
    record = logging.LogRecord("x", logging.INFO, "f", 1, "said %s", (text,), None)
    line = LineFormatter("%(levelname)s %(message)s").format(record)
    assert line == "INFO said path /a\\x0a2026-01-01 ERROR forged \\x1b[31m\\x85\\x7f"

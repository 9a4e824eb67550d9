"""Prices usages, whole API responses or raw stream events: JSON Lines in, JSON Lines out."""

import json
import os
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from math import isfinite
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from chatapp.pricing import money
from chatapp.pricing.book import PriceBook
from chatapp.pricing.cost import Cost, Line, price, rate
from chatapp.pricing.models import price_book
from chatapp.pricing.price_file import moment
from chatapp.pricing.usage import Accumulator, Certainty, UsageError

How = Callable[[PriceBook, dict[str, Any]], dict[str, Any]]


class Command(BaseCommand):
    help = """Price JSON Lines of {"name"?, "model", "at", "usage", "response"?}, or of whole API
    responses with "at". A line that cannot be read becomes {"line", "name", "error"}; exit 1."""
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", default="-", help="- is standard input")
        parser.add_argument(
            "--events",
            action="store_true",
            help='lines hold {"at", "events": [raw stream events], "max_tokens"?} instead',
        )

    def handle(self, *, file: str, events: bool, **options: Any) -> None:
        try:
            book = price_book()
            with _lines(file) as lines:
                failed = self._price(lines, book, _events if events else _usage)
        except DatabaseError as error:
            raise CommandError("There is no price book yet: run manage.py setup.") from error
        except BrokenPipeError:
            # The reader has seen enough; keep the interpreter from flushing into the closed pipe.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return
        except OSError as error:
            raise CommandError(str(error)) from error
        if failed:
            sys.exit(1)

    def _price(self, lines: Iterable[bytes], book: PriceBook, how: How) -> bool:
        failed = False
        for number, line in enumerate(lines, 1):
            if text := line.strip():
                answer = _answer(text, book, how)
                if "error" in answer:
                    failed, answer = True, {"line": number, **answer}
                self.stdout.write(json.dumps(answer))
        return failed


@contextmanager
def _lines(file: str) -> Iterator[Iterable[bytes]]:
    if file == "-":
        yield sys.stdin.buffer
    else:
        with open(file, "rb") as lines:
            yield lines


def _answer(line: bytes, book: PriceBook, how: How) -> dict[str, Any]:
    name = None
    try:
        call = json.loads(line, parse_float=_float, parse_constant=_float)
        if not isinstance(call, dict):
            raise UsageError("not an object")
        name = call.get("name")
        return {"name": name, **how(book, call)}
    except KeyError as error:
        return {"name": name, "error": f"{error.args[0]} is missing"}
    except RecursionError:
        return {"name": name, "error": "nested too deeply"}
    except ValueError as error:
        return {"name": name, "error": str(error)}


def _float(text: str) -> float | str:
    """What JSON cannot say again, as NaN or 1e999, stays a text: no count, but no reason to stop."""
    return number if isfinite(number := float(text)) else text


def _usage(book: PriceBook, call: dict[str, Any]) -> dict[str, Any]:
    """A usage, or a whole response: then stop_reason and content stand beside the usage."""
    response = call.get("response")
    if response is not None and not isinstance(response, dict):
        raise UsageError("response is not an object")
    call = {**(response or {}), **call}
    cost = price(
        book,
        model=_text(call, "model"),
        at=moment(_text(call, "at")),
        usage=call["usage"],
        response=response or call,
    )
    return {"model": call["model"], **_cost(cost)}


def _events(book: PriceBook, call: dict[str, Any]) -> dict[str, Any]:
    """Raw events. Of a stream that ended early the cost is not known exactly, hence null: what it
    likely is stands apart, between a lower and an upper bound."""
    stream = Accumulator()
    events = call["usage" if isinstance(call.get("usage"), list) else "events"]
    if not isinstance(events, list):
        raise UsageError("events is not a list")
    for event in events:
        stream.feed(event)
    limit = call.get("max_tokens")
    if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 0):
        raise UsageError("max_tokens is not a number of tokens")
    metered = stream.metered(limit)
    rated = rate(book, metered, at=moment(_text(call, "at")), max_tokens=limit)
    exact = metered.certainty is Certainty.EXACT
    return {
        "model": metered.model or call.get("model"),
        **_cost(rated.cost if exact else Cost(None, (), rated.cost.flags)),
        "status": metered.certainty,
        "estimated_usd": None if exact else _usd(rated.cost.amount_pusd),
        "lower_usd": _usd(rated.low_pusd),
        "upper_usd": _usd(rated.high_pusd),
        "usage": metered.usage,
    }


def _cost(cost: Cost) -> dict[str, Any]:
    return {
        "cost_usd": _usd(cost.amount_pusd),
        "cost_pusd": cost.amount_pusd,
        "lines": [_line(line) for line in cost.lines],
        "flags": cost.flags,
    }


def _line(line: Line) -> dict[str, Any]:
    """A counter is named only in the lines of counters."""
    told = vars(line).items()
    return {key: value for key, value in told if line.counter or not key.startswith("counter")}


def _usd(pusd: int | None) -> str | None:
    return None if pusd is None else money.exact(pusd)


def _text(call: Mapping[str, Any], key: str) -> str:
    if not isinstance(call[key], str):
        raise UsageError(f"{key} is not a text")
    return call[key]

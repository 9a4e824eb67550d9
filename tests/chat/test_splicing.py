"""However frames are cut, lost, doubled or late, the page ends with exactly the text."""

import random
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatapp.chat import events
from chatapp.chat.live import Live
from chatapp.chat.markdown import render
from chatapp.chat.models import Generation
from chatapp.chat.text import after, clean, pieces, units
from tests.chat.page import Page

LINES = """# Title
one two 👩‍🚀 three

- item
```python
x = 1
| a | b |
|---|---|
> quote 🎉
1. first
---
é"""
MARKDOWN = st.lists(st.sampled_from(LINES.split("\n")), max_size=25).map("\n".join)


def live(epoch: int = 1) -> Live:
    return Live(Generation(id=uuid4(), fence=epoch))


@settings(deadline=None, max_examples=200)
@given(text=MARKDOWN, seed=st.integers(0, 2**32))
def test_any_splitting_losing_doubling_and_reordering_ends_with_the_text(
    text: str, seed: int
) -> None:
    play(text, random.Random(seed))


def play(text: str, chance: random.Random) -> None:
    reply, page = live(), Page()
    wire: list[dict] = []
    while text:
        size = chance.randint(1, 12)
        reply.hear("text", text[:size])
        text = text[size:]
        if chance.random() < 0.4:
            reply.hear("thinking", chance.choice(["hm", "👩‍🚀", " so\n"]))
        if chance.random() < 0.7:
            wire += [events.decode(events.encode(frame)) for frame in reply.frames()]
        if chance.random() < 0.1:
            wire = events.merge(wire)
        if chance.random() < 0.2 and wire:
            wire.pop(chance.randrange(len(wire)))
        if chance.random() < 0.2:
            wire += wire[-1:]
        if chance.random() < 0.2:
            chance.shuffle(wire)
        while wire and chance.random() < 0.8:
            page.apply(wire.pop(0))
            if page.asks:
                for frame in reply.snapshot(page.upto):
                    page.apply(frame)
    for frame in [*wire, *reply.frames(), *reply.snapshot(page.upto)]:
        page.apply(frame)
    if page.asks:
        for frame in reply.snapshot():
            page.apply(frame)
    assert page.length == units(reply.text)
    assert page.html + render(page.tail) == render(reply.text)
    assert page.thinking == reply.thinking


TOLD = "# Words\n\nA 👩‍🚀 and a 🦀.\n\n- é\n- 你好\n\n```py\nx = '👍'\n```\n\nThe end."


@pytest.mark.parametrize("size", [1, 7])
def test_a_page_cut_off_at_any_event_ends_with_the_text(size: int) -> None:
    """It hears so many, misses the next three, and asks for what it lacks when it is back."""
    told = [TOLD[at : at + size] for at in range(0, len(TOLD), size)]
    for cut in range(len(told) + 1):
        reply, page = live(), Page()
        for frame in reply.snapshot():
            page.apply(frame)
        for number, piece in enumerate(told):
            reply.hear("text", piece)
            frames = reply.frames()
            if number == cut + 3:
                frames = reply.snapshot(page.upto)
            if not cut <= number < cut + 3:
                for frame in frames:
                    page.apply(frame)
        for frame in reply.snapshot(page.upto):
            page.apply(frame)
        assert (page.html + render(page.tail), page.length) == (render(TOLD), units(TOLD)), cut
        assert not page.asks


def test_a_huge_piece_is_sent_in_bearable_frames() -> None:
    reply = live()
    reply.hear("text", "🦀" * 100_000)
    frames = reply.frames()
    assert max(len(events.encode(frame)) for frame in frames) < 70_000
    page = Page()
    page.epoch = 1
    for frame in frames:
        page.apply(frame)
    late = Page()
    for frame in reply.snapshot():
        late.apply(frame)
    assert page.tail == late.tail == "🦀" * 100_000
    assert late.length == 200_000


def test_a_greater_epoch_replaces_and_a_smaller_one_is_ignored() -> None:
    old, new, page = live(1), live(2), Page()
    old.hear("text", "old words, more of them")
    new.hear("text", "new words")
    old.frames()
    new.frames()
    for frame in [*old.snapshot(), *new.snapshot()]:
        page.apply(frame)
    page.apply(events.delta(old.gen, 1, 9, "late"))
    assert page.tail == "new words"


def test_checkpoints_hold_exactly_what_was_heard() -> None:
    reply = live()
    saved, thought, offsets = "", "", []
    for number, piece in enumerate(pieces("a👍b" * 30, 4)):
        reply.hear("thinking" if number % 3 == 0 else "text", piece)
        if number % 4 == 1 and (chunk := reply.unsaved()):
            offsets.append(chunk.offset)
            saved, thought = saved + chunk.text, thought + chunk.thinking
            reply.hear("text", "while it is being saved")
            reply.saved()
    chunk = reply.unsaved()
    assert chunk
    assert (saved + chunk.text, thought + chunk.thinking) == (reply.text, reply.thinking)
    assert chunk.offset == units(saved) + units(thought)
    assert offsets == sorted(set(offsets))
    again = reply.unsaved()
    assert again
    assert (again.offset, again.text) == (chunk.offset, chunk.text)


def test_text_is_counted_as_javascript_counts_it() -> None:
    assert units("a👍é") == 4
    assert after("a👍é", 3) == "é"
    assert clean("a\0b\ud83d\ude00c\ud83d") == "a\ufffdb😀c\ufffd"


def test_much_that_is_new_or_open_is_parsed_aside() -> None:
    reply = live()
    for text, long in ("word ", False), ("word\n\n" * 2_000, True), ("x" * 9_000, True):
        reply.hear("text", text)
        assert reply.long is long
        reply.frames()
    reply.hear("text", "\n\nword")
    reply.frames()
    assert not reply.long

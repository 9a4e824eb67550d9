"""The page's side of the protocol: whatever frames are lost, doubled or late, the text is right."""

import random
from typing import Any

import pytest
from playwright.sync_api import Page

from chatapp.chat.markdown import Block, BlockStream, render

REPLY = (
    "# Title 😀\n\nA paragraph with **bold**.\nSecond line.\n\n- one\n- two\n\n"
    "```py\nx = 1\n\ny = 2\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nThe end 😀.\n"
)

# Thoughts doubled, lost and then brought by a snapshot, and one that came late.
THINK = """async () => {
  const { Stream } = await import("/js/stream.js");
  const asked = [];
  const stream = new Stream("gen", { append() {}, clear() {}, ask: (known) => asked.push(known) });
  const delta = (at, thinking) => stream.delta({ epoch: 1, off: 0, s: "", thinking, at });
  const snapshot = (thinking) => stream.snapshot(
    { epoch: 1, state: "running", from: 0, blocks: [], tail: "", thinking, more: false });
  delta(0, "one ");
  delta(0, "one ");
  const before = asked.length;
  delta(8, "three ");
  const missed = asked.length > before;
  snapshot("one two three ");
  delta(8, "three four");
  snapshot("one two ");
  const known = asked.length;
  stream.delta({ epoch: 1, off: 0, s: "Words" });  // of a reply without thoughts
  const calm = asked.length === known;
  stream.delta({ epoch: 1, off: 5, s: " and more", at: 99 });
  return [stream.thinking, missed, calm, asked.length > known];
}"""

# Plays the server too: it answers `resume` with a snapshot of what is written by then.
PLAY = """async ({ frames, text, blocks, epoch }) => {
  const { Stream } = await import("/js/stream.js");
  const asked = [];
  let html = "";
  const stream = new Stream("gen", {
    append: (block) => { html += block; },
    clear: () => { html = ""; },
    ask: (known) => asked.push(known),
  });
  let written = 0;
  const snapshot = ({ epoch: known, upto }) => {
    const from = known === epoch ? upto : 0;
    const done = blocks.filter((block) => block.from >= from && block.upto <= written);
    const end = done.at(-1)?.upto ?? from;
    stream.snapshot({ epoch, state: "running", from, blocks: done, thinking: "",
                      tail: text.slice(end, written), more: false });
  };
  for (const frame of frames) {
    if (frame.off !== undefined) written = Math.max(written, frame.off + frame.s.length);
    stream.delta(frame);
    if (asked.length && Math.random() < 0.5) snapshot(asked.splice(0).at(-1));
    if (stream.epoch === epoch && !text.startsWith(text.slice(0, stream.upto) + stream.tail))
      return { wrong: [stream.upto, stream.tail] };
  }
  written = text.length;
  snapshot(stream);
  return { html, tail: stream.tail, upto: stream.upto, length: stream.length };
}"""


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def block_of(block: Block) -> dict[str, Any]:
    return {"from": block.start, "upto": block.upto, "html": block.html}


def deltas(text: str, epoch: int, chance: random.Random) -> list[dict[str, Any]]:
    """The frames of a reply, cut anywhere between characters."""
    stream, frames, at = BlockStream(), [], 0
    while at < len(text):
        piece = text[at : at + chance.randint(1, 12)]
        blocks = [block_of(block) for block in stream.feed(piece)]
        frames.append(
            {"epoch": epoch, "off": units(text[:at]), "s": piece, "blocks": blocks, "thinking": ""}
        )
        at += len(piece)
    return frames


def spoiled(frames: list[dict[str, Any]], chance: random.Random) -> list[dict[str, Any]]:
    """Some lost, some doubled, some late."""
    kept = [frame for frame in frames if chance.random() > 0.15]
    doubled = [copy for frame in kept for copy in [frame] * chance.choice([1, 1, 1, 2])]
    for index in range(len(doubled) - 1):
        if chance.random() < 0.1:
            other = min(len(doubled) - 1, index + chance.randint(1, 4))
            doubled[index], doubled[other] = doubled[other], doubled[index]
    return doubled


def play(page: Page, text: str, frames: list[dict[str, Any]], epoch: int = 1) -> dict[str, Any]:
    stream = BlockStream()
    blocks = [block_of(block) for block in stream.feed(text)]
    state = {"frames": frames, "text": text, "blocks": blocks, "epoch": epoch}
    result: dict[str, Any] = page.evaluate(PLAY, state)
    assert "wrong" not in result
    assert result["html"] + render(result["tail"]) == render(text)
    assert result["length"] == units(text)
    return result


def test_frames_in_order(blank: Page) -> None:
    play(blank, REPLY, deltas(REPLY, 1, random.Random(1)))


@pytest.mark.parametrize("seed", range(60))
def test_frames_lost_doubled_and_late(blank: Page, seed: int) -> None:
    chance = random.Random(seed)
    play(blank, REPLY, spoiled(deltas(REPLY, 1, chance), chance))


@pytest.mark.parametrize("seed", range(10))
def test_a_greater_epoch_replaces_and_a_smaller_is_ignored(blank: Page, seed: int) -> None:
    chance = random.Random(seed)
    old, new = deltas("Old words.\n\nMore.", 1, chance), deltas(REPLY, 2, chance)
    late = [frame | {"s": "late"} for frame in old]
    play(blank, REPLY, [*old, *new[:9], *late, *spoiled(new, chance)], epoch=2)


def test_thoughts_are_whole_too(blank: Page) -> None:
    assert blank.evaluate(THINK) == ["one two three four", True, True, True]

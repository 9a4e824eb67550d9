"""What the demonstration answers: a Markdown file whose keywords fit the question best."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ANSWERS = Path(__file__).parent / "demo_answers"
BANNER = (
    "> **Demonstration.** This server has no `ANTHROPIC_API_KEY`, so these words come from a script "
    "and not from Claude.\n\n"
)
THOUGHTS = (
    "Somebody asks: {question}\n\nThere is no model behind this, only a handful of prepared answers. "
    "The one about “{topic}” fits best. I should say plainly that it is a demonstration, and show how "
    "headings, lists, tables and code look on this page."
)
MARKUP = re.compile(r"([\\`*_{}\[\]<>()#+\-!|~$&])")
WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Answer:
    thinking: str
    text: str


@cache
def library() -> dict[str, tuple[frozenset[str], str]]:
    """Topic -> its keywords and its Markdown. Each file's first line names the keywords."""
    found = {}
    for path in sorted(ANSWERS.glob("*.md")):
        head, _, body = path.read_text(encoding="utf-8").partition("\n")
        keywords = head.removeprefix("keywords:").split(",")
        found[path.stem] = frozenset(filter(None, map(str.strip, keywords))), body.lstrip()
    return found


def answer(question: str) -> Answer:
    """The prepared answer to `question`, which it quotes shortened and free of markup."""
    topic = best_topic(question)
    short = " ".join(question.split())
    short = short if len(short) <= 90 else f"{short[:89].rstrip()}…"
    text = library()[topic][1].replace("{{question}}", MARKUP.sub(r"\\\1", short))
    return Answer(THOUGHTS.format(question=short, topic=topic), BANNER + text)


def best_topic(question: str) -> str:
    """The topic with the most keywords in the question; the longest answer wins a tie."""
    asked = f" {' '.join(WORD.findall(question.lower()))} "
    scores = {
        topic: (sum(f" {keyword} " in asked for keyword in keywords), len(text))
        for topic, (keywords, text) in library().items()
    }
    best = max(scores, key=lambda topic: scores[topic])
    return best if scores[best][0] else "overview"

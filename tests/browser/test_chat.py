"""A person's day on the chat page."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.talk import ask, composer, finished, reply, rows, says, stop_button
from tests.servers import Server

pytestmark = pytest.mark.once

MARKDOWN = """## Plan

Some **bold** words and `code`.

| a | b |
|---|--:|
| 1 | $5 |

```python
def f(x):
    return x
```

- [x] done
- [ ] open

Then $x^2$.
"""

# What a screen reader is given to say, and how far the reply was.
HEAR = """box => {
  window.heard = [];
  new MutationObserver(() => box.textContent && heard.push([
    box.textContent, document.querySelector("article.assistant").dataset.state,
  ])).observe(box, { childList: true, characterData: true, subtree: true });
}"""
# Every construct that looks otherwise once it is whole; its words are counted up.
GROWING = """# w0

w1 **w2** and `w3`
w4 [w5](https://example.com).

- w6
- w7 **w8**
  - w9

  w10

1. w11
2. w12

```python
def w13(w14):
    # w15

    return w16
```

| w17 | w18 |
|---|--:|
| w19 | w20 |
| w21 | w22 |

> w23
> w24

$x^2$ w25 w26

""" + "".join(f"w{n} is *here*.\n\n" for n in range(27, 60))
# At each frame: the words in order, none lost and none twice, and an article no lower than before.
# The last may still be on its way.
WATCH = """() => {
  window.watched = { frames: 0, complaints: [] };
  let words = 0;
  let height = 0;
  const look = () => {
    requestAnimationFrame(look);
    const article = document.querySelector("article.assistant");
    if (!article) return;
    const { frames, complaints } = watched;
    const parts = [...article.querySelectorAll(".prose, .tail")];
    const shown = parts.map((part) => part.innerText).join(" ").match(/w\\d+/g) ?? [];
    const tall = article.getBoundingClientRect().height;
    const whole = (word, n) => word === `w${n}` || (n === shown.length - 1 && `w${n}`.startsWith(word));
    if (!shown.every(whole)) complaints.push(["words", ...shown]);
    if (shown.length < words) complaints.push(["fewer words", words, shown.length]);
    if (tall < height - 1) complaints.push(["lower", height, tall, parts.at(-1).innerText]);
    words = shown.length;
    height = tall;
    watched.frames = frames + 1;
  };
  look();
}"""


@pytest.fixture
def alice(visit: Visit, server: Server) -> Page:
    return visit(server, "alice")


def test_signing_in_leads_to_an_empty_chat(visit: Visit, server: Server) -> None:
    page = visit(server, "bob")
    expect(page.get_by_role("heading", name="What is on your mind?")).to_be_visible()
    expect(composer(page)).to_be_focused()
    expect(page.get_by_role("button", name="Send")).to_be_disabled()
    page.get_by_role("button", name=re.compile("Explain an idea")).click()
    expect(composer(page)).to_have_value(re.compile("compound interest"))
    expect(page.get_by_role("button", name="Send")).to_be_enabled()


def test_text_appears_as_it_arrives_and_ends_with_its_price(alice: Page) -> None:
    ask(alice, "[[words:80+slow:25]] Tell me")
    expect(stop_button(alice)).to_be_visible()
    expect(reply(alice).locator(".tail")).to_contain_text("w3")
    expect(reply(alice)).not_to_contain_text("w79")
    article = finished(alice)
    expect(article.locator(".prose")).to_contain_text("w79")
    expect(article.locator(".price-line")).to_have_text(
        re.compile(r"claude-haiku-4-5 · \d+ in · \d+ out · \$0\.\d+")
    )
    expect(alice).to_have_url(re.compile(r"/c/[0-9a-f-]{36}/$"))
    expect(alice.locator("#spent")).to_have_text(re.compile(r"\$0\.000\d+"))
    expect(composer(alice)).to_have_value("")
    expect(stop_button(alice)).to_be_hidden()
    alice.reload()
    expect(finished(alice).locator(".prose")).to_contain_text("w79")


def test_markdown_is_the_same_streamed_and_reloaded(alice: Page) -> None:
    ask(alice, says(MARKDOWN, chunk=7, pause=10))
    prose = finished(alice).locator(".prose")
    expect(prose.get_by_role("heading", name="Plan")).to_be_visible()
    expect(prose.locator("td.align-right")).to_have_text("$5")
    expect(prose.locator("figure.code .nf")).to_have_text("f")
    expect(prose.get_by_role("checkbox", checked=True)).to_have_count(1)
    expect(prose.locator("math msup")).to_have_text("x2")
    streamed = prose.inner_html()
    alice.reload()
    assert finished(alice).locator(".prose").inner_html() == streamed


def test_stop_keeps_what_was_written(alice: Page) -> None:
    ask(alice, "[[words:400+slow:30]] Tell me at length")
    expect(reply(alice)).to_contain_text("w5")
    stop_button(alice).click()
    article = finished(alice)
    expect(article).to_contain_text("stopped")
    expect(article.locator(".prose")).to_contain_text("w5")
    expect(article.locator(".prose")).not_to_contain_text("w399")
    expect(article.locator(".price-line")).to_contain_text("$")
    ask(alice, "And now?")
    finished(alice, 1)


def test_escape_stops(alice: Page) -> None:
    ask(alice, "[[words:400+slow:30]] Go")
    expect(reply(alice)).to_contain_text("w3")
    alice.keyboard.press("Escape")
    expect(finished(alice)).to_contain_text("stopped")


def test_keys_of_the_composer(alice: Page) -> None:
    composer(alice).fill("one")
    composer(alice).press("Shift+Enter")
    composer(alice).press_sequentially("two")
    expect(composer(alice)).to_have_value("one\ntwo")
    # Choosing characters with an input method ends with an Enter that is not for us.
    composer(alice).dispatch_event("keydown", {"key": "Enter", "isComposing": True})
    composer(alice).dispatch_event("keydown", {"key": "Enter", "keyCode": 229})
    expect(alice.locator("article")).to_have_count(0)
    composer(alice).press("Control+Enter")
    expect(alice.locator("article.user .said")).to_have_text("one\ntwo")
    finished(alice)


def test_a_draft_waits_where_it_was_left(alice: Page) -> None:
    ask(alice, "First")
    finished(alice)
    composer(alice).fill("half a thought")
    here = alice.url
    alice.get_by_role("link", name="New chat").click()
    expect(composer(alice)).to_have_value("")
    alice.goto(here)
    expect(composer(alice)).to_have_value("half a thought")


def test_up_edits_the_last_message_as_a_branch(alice: Page) -> None:
    ask(alice, "Frist")
    finished(alice)
    composer(alice).press("ArrowUp")
    expect(composer(alice)).to_have_value("Frist")
    ask(alice, "First")
    expect(alice.locator("article.user .said")).to_have_text(["First"])
    finished(alice)
    alice.reload()
    expect(alice.locator("article.user .said")).to_have_text(["First"])
    alice.get_by_role("link", name="The branch before").click()
    expect(alice.locator("article.user .said")).to_have_text(["Frist"])


def test_a_reply_is_written_anew(alice: Page) -> None:
    ask(alice, "[[words:5]] Once")
    first = finished(alice).get_attribute("data-id") or ""
    finished(alice).get_by_role("button", name="Write this reply anew").click()
    expect(reply(alice)).not_to_have_attribute("data-id", first)
    expect(finished(alice)).to_contain_text("w4")
    expect(alice.locator("article")).to_have_count(2)
    expect(alice.get_by_role("navigation", name="Branches")).to_contain_text("2/2")
    alice.reload()
    expect(alice.get_by_role("navigation", name="Branches")).to_contain_text("2/2")


def test_the_list_renames_and_deletes_with_undo(alice: Page) -> None:
    ask(alice, "A chat to rename")
    finished(alice)
    row = rows(alice).first
    expect(row).to_contain_text("A chat to rename")
    row.get_by_role("button", name=re.compile("^Rename")).click()
    row.get_by_label("Title").fill("Renamed")
    row.get_by_label("Title").press("Enter")
    expect(alice.get_by_role("heading", level=1)).to_have_text("Renamed")
    expect(alice).to_have_title("Renamed · chatapp")
    rows(alice).first.get_by_role("button", name=re.compile("^Delete")).click()
    expect(alice.get_by_text("Chat deleted.")).to_be_visible()
    expect(alice.get_by_role("link", name="Renamed")).to_have_count(0)
    alice.get_by_role("button", name="Undo").click()
    expect(alice.get_by_role("heading", level=1)).to_have_text("Renamed")
    expect(rows(alice).first).to_contain_text("Renamed")


def test_another_tab_sees_the_same(alice: Page) -> None:
    ask(alice, "Seen twice")
    finished(alice)
    other = alice.context.new_page()
    other.goto(alice.url)
    ask(alice, "[[words:60+slow:20]] More")
    expect(reply(other, 1)).to_contain_text("w5")
    stop_button(other).click()
    expect(finished(other, 1)).to_contain_text("stopped")
    expect(finished(alice, 1)).to_contain_text("stopped")
    rows(other).first.get_by_role("button", name=re.compile("^Rename")).click()
    rows(other).first.get_by_label("Title").fill("From the other")
    rows(other).first.get_by_label("Title").press("Enter")
    expect(alice.get_by_role("heading", level=1)).to_have_text("From the other")


def test_another_model_answers(alice: Page) -> None:
    alice.locator("#models summary").click()
    alice.get_by_role("radio", name=re.compile("Opus 4.8")).check()
    expect(alice.locator("#model-name")).to_have_text("Opus 4.8")
    ask(alice, "Hello")
    expect(finished(alice).locator(".price-line")).to_contain_text("claude-opus-4-8")
    alice.locator("#models summary").click()
    alice.get_by_role("radio", name=re.compile("Haiku 4.5")).check()
    ask(alice, "And you?")
    expect(finished(alice, 1).locator(".price-line")).to_contain_text("claude-haiku-4-5")
    alice.reload()
    expect(alice.locator("#model-name")).to_have_text("Haiku 4.5")


def test_settings_bound_the_reply(alice: Page) -> None:
    alice.get_by_role("button", name="Settings of this chat").click()
    alice.get_by_label("System prompt").fill("Be brief.")
    alice.get_by_label("Longest reply").fill("20")
    alice.get_by_role("button", name="Save").click()
    ask(alice, "[[words:80]] Hello")
    expect(finished(alice)).to_contain_text("cut off at the token limit")
    alice.reload()
    alice.get_by_role("button", name="Settings of this chat").click()
    expect(alice.get_by_label("System prompt")).to_have_value("Be brief.")
    alice.get_by_label("Longest reply").fill("99999999")
    alice.get_by_label("Longest reply").evaluate("input => { input.max = ''; }")
    alice.get_by_role("button", name="Save").click()
    alice.forgiven.append("400")  # type: ignore[attr-defined]
    expect(alice.get_by_role("alert")).to_be_visible()
    alice.get_by_role("button", name="Cancel").click()


def test_the_draft_is_quoted(alice: Page) -> None:
    composer(alice).press_sequentially("How much is this going to be?")
    expect(alice.locator("#quote")).to_have_text(
        re.compile(r"^[\d,]+ in · \$0\.\d+ · at most \$0\.\d+$")
    )
    composer(alice).fill("[[count_fails]] and this?")
    expect(alice.locator("#quote")).to_have_text(re.compile(r"^about [\d,]+ in · about \$"))
    composer(alice).fill("")
    expect(alice.locator("#quote")).to_have_text("")


def test_a_prompt_too_long_is_refused_with_the_numbers(alice: Page) -> None:
    alice.get_by_role("button", name="Settings of this chat").click()
    alice.get_by_label("Longest reply").fill("64000")
    alice.get_by_role("button", name="Save").click()
    text = "[[count:250000]] long"
    composer(alice).fill(text)
    expect(alice.locator("#quote")).to_contain_text("200,000")
    composer(alice).press("Enter")
    expect(alice.locator("#composer-note")).to_contain_text("200,000")
    expect(composer(alice)).to_have_value(text)
    expect(alice.locator("article")).to_have_count(0)


@pytest.mark.parametrize("characters", [220_000, 400_000])
def test_too_much_text_is_refused_and_kept(alice: Page, characters: int) -> None:
    alice.forgiven.extend(["400", "WebSocket"])  # type: ignore[attr-defined]
    composer(alice).fill("x" * characters)
    composer(alice).press("Enter")
    expect(alice.locator("#composer-note")).to_contain_text("Nothing was sent")
    expect(composer(alice)).to_be_editable()
    assert composer(alice).input_value() == "x" * characters
    composer(alice).fill("Shorter")
    composer(alice).press("Enter")
    finished(alice)


def test_more_than_a_request_holds_is_quoted_as_too_much(alice: Page) -> None:
    alice.forgiven.append("413")  # type: ignore[attr-defined]
    composer(alice).fill("x" * 1_100_000)
    expect(alice.locator("#quote")).to_contain_text("too much text")


def test_an_error_says_what_happened_and_can_be_retried(alice: Page) -> None:
    ask(alice, "[[400x1]] Hello")
    failed = reply(alice).locator(".failed")
    expect(failed).to_contain_text("did not accept")
    expect(failed).to_contain_text("Nothing was charged")
    failed.get_by_role("button", name="Retry").click()
    finished(alice)
    expect(alice.locator(".failed")).to_have_count(0)


def test_a_cut_reply_keeps_its_text_and_goes_on_or_is_tried_again(alice: Page) -> None:
    ask(alice, "[[cut_afterx1:20]] Hello")
    failed = finished(alice, 0).locator(".failed")
    expect(failed).to_contain_text("What was written so far is charged. Try again.")
    expect(finished(alice).locator(".price-line")).to_contain_text("$0.0")
    expect(finished(alice).locator(".prose")).to_have_text(re.compile("^w0 w1 .*w[1-9]"))
    failed.get_by_role("button", name="Continue").click()
    expect(finished(alice, 1).locator(".prose")).to_contain_text("w39")
    expect(alice.locator("article.user .said").last).to_have_text(re.compile("^Go on from exactly"))
    failed.get_by_role("button", name="Retry").click()
    expect(alice.locator("article")).to_have_count(2)
    expect(finished(alice).locator(".prose")).to_contain_text("w39")
    expect(alice.locator(".failed")).to_have_count(0)


def test_copying(alice: Page) -> None:
    alice.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ask(alice, says("# T\n\n```py\nx = 1\n```\n"))
    article = finished(alice)
    article.get_by_role("button", name="Copy", exact=True).click()
    expect(article.locator("button.copied")).to_have_count(1)
    assert alice.evaluate("navigator.clipboard.readText()") == "x = 1\n"
    article.get_by_role("button", name="Copy as Markdown").click()
    expect(article.locator("button.copied")).to_have_count(2)
    assert alice.evaluate("navigator.clipboard.readText()") == "# T\n\n```py\nx = 1\n```\n"


PLAIN = """delete Crypto.prototype.randomUUID;
delete Navigator.prototype.clipboard;
delete window.ClipboardItem;"""


def test_over_plain_http_it_is_sent_and_copied_too(alice: Page) -> None:
    alice.add_init_script(PLAIN)
    alice.reload()
    ask(alice, says("# T\n\n```py\nx = 1\n```\n"))
    article = finished(alice)
    for name, text in (
        ("Copy", "x = 1\n"),
        ("Copy as Markdown", "# T\n\n```py\nx = 1\n```\n"),
    ):
        article.get_by_role("button", name=name, exact=True).click()
        expect(article.locator("button.copied:focus")).to_be_visible()
        composer(alice).fill("")
        composer(alice).press("Control+v")
        expect(composer(alice)).to_have_value(text)
    alice.get_by_role("link", name="Share this chat").click()
    alice.get_by_role("button", name="Make a link").click()
    alice.get_by_role("button", name="Copy", exact=True).click()
    expect(alice.get_by_role("button", name="Copied")).to_be_visible()
    address = alice.locator("#link").input_value()
    alice.goto("/")
    composer(alice).press("Control+v")
    expect(composer(alice)).to_have_value(address)


def test_the_receipt_is_one_click_away(alice: Page) -> None:
    ask(alice, "Hello")
    price = finished(alice).locator(".price-line").inner_text().split(" · ")[-1]
    finished(alice).locator(".price-line").click()
    expect(alice.locator("main")).to_contain_text(price)
    alice.get_by_role("link", name="Hello").click()
    finished(alice)


def test_keys_of_the_page(alice: Page) -> None:
    ask(alice, "Find me")
    finished(alice)
    alice.keyboard.press("Control+k")
    alice.keyboard.type("find me")
    expect(alice.get_by_role("dialog").get_by_role("link").first).to_contain_text("Find me")
    alice.keyboard.press("Escape")
    alice.locator("#log-scroll").focus()
    alice.keyboard.press("?")
    expect(alice.get_by_role("dialog", name="Keys")).to_be_visible()
    alice.keyboard.press("Escape")
    alice.keyboard.press("/")
    expect(composer(alice)).to_be_focused()


def test_the_end_is_announced_once_and_the_stream_is_silent(alice: Page) -> None:
    alice.locator("#announcer").evaluate(HEAR)
    ask(alice, "[[words:30+slow:20]] Hello")
    expect(alice.get_by_role("log")).to_have_attribute("aria-live", "off")
    finished(alice)
    expect(alice.locator("#announcer")).to_contain_text("w29")
    [(said, state)] = alice.evaluate("heard")
    assert said == alice.locator("#announcer").text_content()
    assert state == "done"


def test_text_only_grows_while_it_is_written(alice: Page) -> None:
    alice.evaluate(WATCH)
    ask(alice, says(GROWING, chunk=5, pause=10))
    expect(finished(alice).locator(".prose")).to_contain_text("w59")
    frames, complaints = alice.evaluate("[watched.frames, watched.complaints]")
    assert frames > 20
    assert complaints == []


def test_an_empty_chat_has_examples_with_their_price_and_says_who_can_read(alice: Page) -> None:
    prices = alice.locator(".example small")
    expect(prices).to_have_text([re.compile(r"about \$0\.\d+")] * 4)
    cheap = prices.all_inner_texts()
    alice.locator("#models summary").click()
    alice.locator("label.model", has_text="Claude Opus 4.8").click()
    expect(prices.first).not_to_have_text(cheap[0])
    expect(prices).to_have_text([re.compile(r"about \$0\.\d+")] * 4)
    assert not set(prices.all_inner_texts()) & set(cheap)
    hello = alice.locator("#hello")
    for words in "kept on this server", "only you can read them", "Admins see what they cost":
        expect(hello).to_contain_text(words)
    ask(alice, "Hi")
    finished(alice)
    expect(hello).to_have_count(0)

"""Replies that go on: over a reload, a second tab, a lost socket, a killed server."""

import re
import signal

from playwright.sync_api import Page, WebSocketRoute, expect

from tests.browser.conftest import Visit
from tests.browser.talk import ask, composer, finished, reply, says, stop_button
from tests.servers import Server

LONG = "".join(f"Paragraph {n} has **bold** words.\n\n" for n in range(40)) + "The end."


def words(page: Page) -> list[str]:
    """The words on the page, in order, whatever is still plain."""
    text = reply(page).locator(".prose, .tail")
    return re.findall(r"Paragraph \d+|The end", " ".join(text.all_inner_texts()))


def stored(server: Server) -> str:
    """The newest reply's text in the database."""
    query = (
        "SELECT text FROM chat_message WHERE role = 'assistant' ORDER BY created_at DESC LIMIT 1"
    )
    return str(server.query(query)[0][0])


WHOLE = [*(f"Paragraph {n}" for n in range(40)), "The end"]


def test_reloading_in_mid_reply_goes_on_where_it_is(visit: Visit, server: Server) -> None:
    page = visit(server, "alice")
    ask(page, says(LONG, pause=100))
    expect(reply(page)).to_contain_text("Paragraph 5")
    page.reload()
    expect(reply(page)).to_contain_text("Paragraph 5")
    seen = words(page)
    assert seen == WHOLE[: len(seen)]
    expect(stop_button(page)).to_be_visible()
    finished(page)
    assert words(page) == WHOLE
    assert stored(server) == LONG


def test_a_second_tab_catches_up(visit: Visit, server: Server) -> None:
    page = visit(server, "alice")
    ask(page, says(LONG, pause=60))
    expect(reply(page)).to_contain_text("Paragraph 4")
    other = page.context.new_page()
    other.goto(page.url)
    expect(reply(other)).to_contain_text("Paragraph 8")
    for tab in page, other:
        finished(tab)
        assert words(tab) == WHOLE
    assert reply(page).inner_html() == reply(other).inner_html()


def test_a_lost_socket_comes_back_without_gap_or_repeat(visit: Visit, server: Server) -> None:
    page = visit(server, "alice")
    open_sockets: list[WebSocketRoute] = []

    def route(socket: WebSocketRoute) -> None:
        socket.connect_to_server()
        open_sockets.append(socket)

    page.route_web_socket(re.compile("/ws/chat/"), route)
    page.reload()
    ask(page, says(LONG, pause=25))
    for number in 5, 15:
        expect(reply(page)).to_contain_text(f"Paragraph {number}")
        open_sockets[-1].close(code=1012)
    finished(page)
    assert words(page) == WHOLE


def test_lost_and_doubled_frames_do_not_show(visit: Visit, server: Server) -> None:
    page = visit(server, "alice")
    count = 0

    def route(socket: WebSocketRoute) -> None:
        upstream = socket.connect_to_server()

        def pass_on(message: str | bytes) -> None:
            nonlocal count
            count += '"delta"' in str(message)
            lost = '"delta"' in str(message) and count % 7 == 3
            for _ in range(0 if lost else 2 if count % 5 == 1 else 1):
                socket.send(message)

        upstream.on_message(pass_on)

    page.route_web_socket(re.compile("/ws/chat/"), route)
    page.reload()
    ask(page, says(LONG, pause=25))
    finished(page)
    assert count > 20
    assert words(page) == WHOLE


def test_a_first_question_whose_answer_is_lost_is_sent_again_and_not_quoted(
    visit: Visit, server: Server
) -> None:
    page = visit(server, "alice")
    lost: list[str] = []

    def route(socket: WebSocketRoute) -> None:
        upstream = socket.connect_to_server()

        def pass_on(message: str | bytes) -> None:
            if '"ack"' in str(message) and not lost:
                lost.append(str(message))
            else:
                socket.send(message)

        upstream.on_message(pass_on)

    page.route_web_socket(re.compile("/ws/chat/"), route)
    page.reload()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    ask(page, "[[words:5]] Hello")
    expect(composer(page)).to_have_value("")
    # It is sent again after three seconds of silence, and answered after that.
    finished(page)
    assert lost
    assert [url for url in asked if url.endswith("/quote/")] == []


def test_a_restart_in_mid_reply_is_told_and_the_page_comes_back(
    visit: Visit, server: Server
) -> None:
    page = visit(server, "alice")
    ask(page, says(LONG, pause=100))
    expect(reply(page)).to_contain_text("Paragraph 5")
    shown = words(page)
    # What was shown longer ago than half a second is saved; a busy machine has half a second more.
    page.wait_for_timeout(1000)
    page.forgiven.extend(["WebSocket", "ERR_CONNECTION_REFUSED"])  # type: ignore[attr-defined]
    server.kill()
    expect(page.locator("#connection")).to_have_text(re.compile("Reconnecting"))
    composer(page).fill("written meanwhile")
    server.start()
    expect(page.locator("#connection")).to_be_hidden(timeout=30_000)
    expect(composer(page)).to_have_value("written meanwhile")
    # The lease of the dead process has to end before its reply is settled.
    expect(reply(page).locator(".stop-words, .failed").first).to_be_visible(timeout=60_000)
    seen = words(page)
    assert len(seen) >= len(shown)
    assert seen == WHOLE[: len(seen)]
    page.reload()
    assert words(page) == seen
    composer(page).press("Enter")
    finished(page, 1)


def test_a_restart_in_good_order_lets_the_reply_end(visit: Visit, server: Server) -> None:
    page = visit(server, "alice")
    ask(page, says(LONG, pause=30))
    expect(reply(page)).to_contain_text("Paragraph 3")
    page.forgiven.extend(["WebSocket", "ERR_CONNECTION_REFUSED"])  # type: ignore[attr-defined]
    assert server.restart(signal.SIGTERM) == 0
    expect(finished(page).locator(".stop-words")).to_have_text("finished")
    assert words(page) == WHOLE
    assert stored(server) == LONG


def test_a_send_during_a_restart_arrives_once(visit: Visit, server: Server) -> None:
    page = visit(server, "alice")
    page.forgiven.extend(["WebSocket", "ERR_CONNECTION_REFUSED"])  # type: ignore[attr-defined]
    server.stop(signal.SIGTERM)
    ask(page, "Are you there?")
    expect(composer(page)).to_have_value("Are you there?")
    server.start()
    finished(page)
    expect(page.locator("article.user")).to_have_count(1)
    assert server.query("SELECT count(*) FROM chat_message WHERE text = 'Are you there?'") == [(1,)]

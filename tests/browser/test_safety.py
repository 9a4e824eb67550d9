"""Hostile text, from people and from the model: shown, and nothing more."""

import re
from contextlib import closing
from socket import AF_INET, SOCK_STREAM, socket

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit, sign_in
from tests.browser.talk import ask, composer, finished, rows, says
from tests.chat.markdown_examples import PAYLOADS
from tests.servers import Server

pytestmark = pytest.mark.once

# What would be there if a name had become markup.
MARKUP = """[onerror], [onload], [onfocus], [onmouseover], [srcdoc], [href^="javascript:" i], math,
    base, object, iframe, img[src="x"], form[action^="javascript:" i]"""
# Every name that people, admins or the vendor choose, after one chat and some calls of others.
NAME_EVERYTHING = """
from itertools import cycle
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.utils import timezone
from chatapp.accounts.models import Team, User
from chatapp.chat.models import Attachment, Conversation, Message, Project, Share
from chatapp.ledger.models import Budget, Charge, UnknownCounter
from chatapp.pricing.models import CounterPrice, Model, PriceVersion, price_book
from tests.chat.markdown_examples import PAYLOADS

call_command("make_demo_data", calls=90, people=36, days=20, source="anthropic")
alice, admin = User.objects.get(username="alice"), User.objects.get(username="admin")
PAYLOADS = [payload for payload in PAYLOADS if "\\n" not in payload]
chat = Conversation.objects.filter(owner=alice).latest("active_at")
*_, question, reply = chat.messages.order_by("created_at")
charge = reply.charge
for payload in PAYLOADS:
    question.attachments.add(Attachment.objects.create(
        owner=alice, conversation=chat, name=payload, media_type="text/plain", size=5))
    Project.objects.create(owner=alice, name=payload)
    Group.objects.create(name=payload)
    UnknownCounter.objects.create(name=payload, charge=charge)
    CounterPrice.objects.create(
        counter=payload, reason=payload, unit_price_pusd=1, valid_from=timezone.now())
    LogEntry.objects.create(
        user=admin, object_repr=payload, object_id=payload, action_flag=2, change_message=payload)
    talk = Conversation.objects.create(
        owner=alice, title=payload, active_at=timezone.now(), model=chat.model, max_tokens=9)
    Message.objects.create(conversation=talk, role="user", text=payload)
chat.project = Project.objects.filter(name=PAYLOADS[1]).get()
chat.title = " ".join(PAYLOADS)
chat.save()
Share.objects.create(conversation=chat, upto=reply, token="hostile")
for team, payload in zip(Team.objects.all(), PAYLOADS):
    team.name = payload
    team.save()
    Budget.objects.create(scope="team", team=team, period="month", limit_pusd=10**12, hard=False)
people = User.objects.exclude(username__in=["alice", "bob", "admin"])
for number, (person, payload) in enumerate(zip(people, PAYLOADS)):
    person.username, person.name = f"{payload} {number}", payload
    person.save()
book = price_book()
for model, payload in zip(Model.objects.all(), cycle(PAYLOADS)):
    model.name, model.note, model.aliases = payload, payload, [payload]
    model.save()
    if version := book.version(model.id, "standard", timezone.now()):
        PriceVersion.objects.record(version, source=payload, reason=payload, by=admin)
alice.name, alice.team = PAYLOADS[1], Team.objects.get(name=PAYLOADS[1])
alice.save()
"""
CALLING_HOME = """![x](TARGET) [y](TARGET)

<img src=TARGET> <div style="background:url(TARGET)">z</div>

<style>body { background: url(TARGET) } @import "TARGET"; @font-face { src: url(TARGET) }</style>
<link rel=prefetch href=TARGET><link rel=icon href=TARGET><link rel=stylesheet href=TARGET>
<link rel=preconnect href=TARGET><meta http-equiv=refresh content="0;url=TARGET">
<video poster=TARGET src=TARGET></video>

\\(\\style{background:url(TARGET)}{x}\\)

[r]: TARGET

![r][r]
"""
REL = "noopener noreferrer nofollow"
# The first three are links, the rest are none.
ADDRESSES = [
    *("https://good.example/x", "http://good.example/y", "mailto:a@good.example"),
    *("javascript:window.__xss=1", "JaVaScRiPt:window.__xss=1", "java\tscript:window.__xss=1"),
    *("<java\tscript:window.__xss=1>", "&#106;avascript:window.__xss=1", "vbscript:window.__xss=1"),
    *("data:text/html,<script>window.__xss=1</script>", "data:text/html;base64,PHNjcmlwdD4="),
    *(
        "//evil.example/x",
        "\\\\\\\\evil.example",
        "file:///etc/passwd",
        "blob:null/x",
    ),
    *("ftp://evil.example", "/sign-out/", "#title", "?next=x", "view-source:x"),
]
# Pages whose modules write names too, and pages that are as the server wrote them.
SEEN = ["/", "/search/?q=xss", "/s/hostile/"]
READ = [
    *("/chats/", "/chats/?archived", "/projects/", "/shares/", "/account/", "/search/?q=onerror"),
    *("/usage/", "/usage/?by=model", "/usage/calls/", "/usage/budgets/"),
]
SEEN_BY_ADMINS = ["/dashboard/?by=model", "/dashboard/?by=team", "/dashboard/?by=user"]
READ_BY_ADMINS = [
    *("/dashboard/budgets/", "/dashboard/what-if/", "/dashboard/calls/", "/admin/"),
    *(
        f"/admin/{page}/"
        for page in (
            *("accounts/user", "accounts/team", "auth/group", "ledger/budget", "ledger/charge"),
            *("ledger/unknowncounter", "pricing/counterprice", "pricing/priceversion"),
            *("pricing/model", "accounts/user/1/history"),
        )
    ),
]
# A page's markup from the names in it, and the first link of its list; nothing is drawn.
READING = """([html, markup]) => {
  const page = new DOMParser().parseFromString(html, "text/html");
  const link = page.querySelector("#result_list th a, table a[href*='/calls/'], a[href*='/projects/']");
  const found = [...page.querySelectorAll(markup)].map(({ outerHTML }) => outerHTML);
  return [found, link?.getAttribute("href") ?? ""];
}"""

ALLOWED = """p br hr h3 h4 h5 h6 strong em s blockquote ul ol li a code pre span div figure figcaption
    button table thead tbody tr th td input math mrow mi mn mo mtext mspace mfrac msub msup mstyle"""


def elements(page: Page) -> set[str]:
    """The kinds of element inside rendered replies."""
    found: list[str] = page.locator(".prose").evaluate_all(
        "parts => parts.flatMap(part => [...part.querySelectorAll('*')].map(e => e.localName))"
    )
    return set(found)


@pytest.mark.parametrize("batch", range(4))
def test_payloads_are_inert(visit: Visit, server: Server, batch: int) -> None:
    page = visit(server, "alice")
    hostile = "\n\n".join(PAYLOADS[batch::4])
    ask(page, f"{says(hostile, chunk=7)} {hostile}")
    html = finished(page).locator(".prose").inner_html()
    assert page.evaluate("window.__xss") is None
    assert elements(page) <= set(ALLOWED.split())
    page.reload()
    assert finished(page).locator(".prose").inner_html() == html
    expect(page.locator("article.user .said *")).to_have_count(0)
    assert page.evaluate("window.__xss") is None


def test_a_title_is_only_text(visit: Visit, server: Server) -> None:
    page = visit(server, "alice")
    ask(page, "<img src=x onerror=window.__xss=1> title")
    finished(page)
    expect(rows(page).first).to_contain_text("<img src=x onerror")
    expect(page.get_by_role("heading", level=1)).to_contain_text("<img src=x onerror")
    page.reload()
    assert page.evaluate("window.__xss") is None


def test_names_are_only_text(visit: Visit, server: Server, blank: Page) -> None:
    alice, admin = visit(server, "alice"), visit(server, "admin")
    ask(alice, "Some names")
    receipt = finished(alice).locator(".price-line").get_attribute("href") or ""
    here = alice.url
    server.manage("shell", "--no-imports", "-v0", "-c", NAME_EVERYTHING)
    inert(alice, here, *SEEN)
    reading(alice, blank, receipt, *READ)
    inert(admin, *SEEN_BY_ADMINS, "/admin/accounts/user/", "/admin/pricing/priceversion/")
    reading(admin, blank, *READ_BY_ADMINS)


def inert(page: Page, *paths: str) -> None:
    """Nothing in the names on these pages became markup or ran."""
    for path in paths:
        page.goto(path)
        assert page.evaluate("window.__xss") is None, path
        assert page.locator(MARKUP).evaluate_all("all => all.map(e => e.outerHTML)") == [], path


def reading(page: Page, blank: Page, *paths: str) -> None:
    """The same of these pages and of what their lists lead to, as a browser reads them."""
    further = [link for path in paths if (link := read(page, blank, path))]
    assert further
    for path in further:
        read(page, blank, path)


def read(page: Page, blank: Page, path: str) -> str:
    response = page.request.get(path)
    assert response.status == 200, path
    found, link = blank.evaluate(READING, [response.text(), MARKUP])
    assert found == [], path
    return str(link)


def test_nothing_is_fetched_from_elsewhere(visit: Visit, server: Server) -> None:
    page = visit(server, "alice")
    asked: list[str] = []
    page.context.on("request", lambda request: asked.append(request.url))
    with closing(socket(AF_INET, SOCK_STREAM)) as spy:
        spy.bind(("127.0.0.1", 0))
        spy.listen()
        spy.settimeout(0.5)
        target = f"http://127.0.0.1:{spy.getsockname()[1]}/steal"
        ask(page, says(CALLING_HOME.replace("TARGET", target), chunk=40))
        expect(finished(page).get_by_role("link", name="x")).to_have_attribute("href", target)
        page.reload()
        finished(page)
        page.get_by_role("link", name="Share this chat").click()
        page.get_by_role("button", name="Make a link").click()
        page.goto(page.get_by_label(re.compile("The link to what was here")).input_value())
        expect(page.locator(".prose").get_by_role("link", name="x")).to_be_visible()
        with pytest.raises(TimeoutError):
            spy.accept()
    assert [url for url in asked if not url.startswith(server.url)] == []


def test_links_lead_to_the_web_and_to_mail_only(visit: Visit, server: Server) -> None:
    page = visit(server, "alice")
    text = "\n\n".join(f"[link {n}]({address})" for n, address in enumerate(ADDRESSES))
    ask(page, says(f"{text}\n\n<javascript:window.__xss=1> [r]\n\n[r]: vbscript:x\n", chunk=7))
    finished(page)
    ask(page, "[[web_search:1+words:3+citations:javascript:window.__xss=1]] Cite")
    expect(finished(page, 1).locator(".prose")).to_contain_text("As found")
    for _ in range(2):
        links = page.locator("#log .prose a").evaluate_all(
            "all => all.map(({ href, rel, title }) => [href, rel, title])"
        )
        assert links == [
            ["https://good.example/x", REL, "good.example"],
            ["http://good.example/y", REL, "good.example"],
            ["mailto:a@good.example", REL, "a@good.example"],
        ]
        page.reload()
        finished(page, 1)
    assert page.evaluate("window.__xss") is None


def test_wrong_input_is_told_and_nothing_is_lost(visit: Visit, server: Server) -> None:
    page = visit(server, "alice")
    composer(page).fill("   \n ")
    expect(page.get_by_role("button", name="Send")).to_be_disabled()
    page.forgiven.append("400")  # type: ignore[attr-defined]
    text = "x" * 200_001
    ask(page, text)
    expect(page.locator("#composer-note")).to_contain_text("200,001 bytes")
    expect(composer(page)).to_have_value(text)
    assert server.query("SELECT count(*) FROM chat_message WHERE text LIKE 'xxxx%%'") == [(0,)]


def test_what_is_not_yours_is_not_there(visit: Visit, server: Server) -> None:
    alice = visit(server, "alice")
    ask(alice, "A secret")
    finished(alice)
    bob = visit(server, "bob")
    bob.forgiven.append("404")  # type: ignore[attr-defined]
    response = bob.goto(alice.url)
    assert response is not None
    assert response.status == 404
    expect(bob.locator("body")).not_to_contain_text("A secret")


def test_after_signing_out_nothing_comes_back(visit: Visit, server: Server) -> None:
    """Neither by Back, from the browser's memory or its cache, nor in what it keeps for our pages."""
    page = visit(server, path="/sign-in/")
    sign_in(page, "bob")
    ask(page, f"A private question {says('a private answer')}")
    expect(finished(page)).to_contain_text("a private answer")
    chat = page.url
    composer(page).fill("a private draft")
    page.wait_for_function("JSON.stringify({...localStorage}).includes('a private draft')")
    page.forgiven.append("/quote/")  # type: ignore[attr-defined] # of the draft, which comes too late
    page.locator(".account-menu summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    page.goto(chat)
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert "private" not in page.content()
    kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert "private" not in kept

"""The administration in a real browser: its every widget works, and the policies are never hit."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect

from tests.servers import PASSWORD, Server

pytestmark = pytest.mark.once

# Collected before any script of the page runs.
WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.violations.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`);
});
"""
HOSTILE = [
    "<script>window.hit = 1</script>",
    "<SCRIPT src=//127.0.0.1:9/x.js></SCRIPT>",
    "<img src=x onerror='window.hit = 1'>",
    "<svg onload=window.hit=1>",
    "<a href='javascript:window.hit=1'>x</a>",
    '<a href="//evil.example">x</a>',
    '<a href="/\\\\evil.example">x</a>',
    "<iframe srcdoc='<script>parent.hit=1</script>'></iframe>",
    '<div class="a" onclick="window.hit=1">x</div>',
    "<div style='background:red'>x</div>",
    '<textarea><a title="</textarea><img src=x onerror=window.hit=1>"></a>',
    "<div class=a/onclick=window.hit=1>x</div>",
    "<style>*{color:red}</style>",
    "<math><mtext></p><img src=x onerror=window.hit=1>",
    "text <!-- --!> <b",
    "<form action=//evil.example><input name=x></form>",
    "<button formaction='javascript:alert(1)'>x</button>",
]
INERT = [
    "plain &lt;b&gt; text",
    "<textarea>x</textarea>",
    "<select multiple='multiple'></select>",
    '<a role="button" class="addlink" href="#">Add another tier</a>',
    '<li class="select2-results__option"role="option" aria-disabled="true"></li>',
    "",
]


@pytest.fixture(scope="module")
def signed_in(browser: Browser, server: Server) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=server.url, permissions=["clipboard-write"])
    context.add_init_script(WATCH)
    page = context.new_page()
    page.goto("/admin/")
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Administration")).to_be_visible()
    clean(page)
    page.close()
    yield context
    context.close()


@pytest.fixture
def page(signed_in: BrowserContext) -> Iterator[Page]:
    page = signed_in.new_page()
    complaints: list[str] = []
    page.on("console", lambda entry: complaints.append(entry.text) if entry.type == "error" else 0)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    page.close()
    assert complaints == []


def clean(page: Page) -> None:
    assert page.evaluate("window.violations") == []


def test_every_list_and_form_opens_clean(page: Page) -> None:
    page.goto("/admin/")
    links = page.locator("#content-main a").evaluate_all("all => all.map(link => link.href)")
    assert len(links) >= 8
    for link in links:
        page.goto(link)
        expect(page.locator("#content h1")).to_be_visible()
        clean(page)


def test_a_person_is_invited_with_team_and_group(page: Page) -> None:
    page.goto("/admin/accounts/user/add/")
    page.locator("#id_username").fill("carol")
    with page.expect_popup() as opened:
        page.locator("#add_id_team").click()
    popup = opened.value
    popup.locator("#id_name").fill("Blue <b>team</b>")
    clean(popup)
    popup.get_by_role("button", name="Save").click()
    expect(page.locator("#id_team option:checked")).to_have_text("Blue <b>team</b>")
    page.get_by_label("Spend admins").check()
    clean(page)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#link")).to_have_value(re.compile("/invite/"))
    page.get_by_role("button", name="Copy").click()
    clean(page)


def test_a_team_and_a_power_are_given(page: Page) -> None:
    page.goto("/admin/accounts/team/add/")
    page.locator("#id_name").fill("Green")
    page.get_by_role("button", name="Save", exact=True).click()
    page.goto("/admin/accounts/user/")
    page.get_by_role("link", name="bob", exact=True).click()
    page.locator("#id_team").select_option(label="Green")
    page.get_by_label("Ledger | charge: Can see what everyone spends").check()
    clean(page)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#result_list")).to_contain_text("Green")
    page.locator("#result_list").get_by_role("link", name="bob", exact=True).click()
    expect(page.get_by_label("Ledger | charge: Can see")).to_be_checked()
    clean(page)


def test_people_are_chosen_deactivated_and_erased(page: Page) -> None:
    page.goto("/admin/accounts/user/")
    row = page.locator("#result_list tr", has=page.get_by_role("link", name="alice", exact=True))
    row.locator(".action-select").check()
    expect(page.locator(".action-counter")).to_contain_text("1 of")
    page.locator("select[name=action]").select_option("erase")
    page.get_by_role("button", name="Go").click()
    expect(page.get_by_role("heading", name="Erase people")).to_be_visible()
    clean(page)
    page.get_by_role("button", name="Erase 1 person").click()
    expect(page.locator("ul.messagelist")).to_contain_text("Erased")
    expect(page.locator("#result_list")).not_to_contain_text("alice")
    clean(page)


def test_a_team_is_deleted_after_asking(page: Page) -> None:
    page.goto("/admin/accounts/team/add/")
    page.locator("#id_name").fill("Short-lived")
    page.get_by_role("button", name="Save", exact=True).click()
    page.locator("#result_list").get_by_role("link", name="Short-lived").click()
    page.get_by_role("link", name="Delete", exact=True).click()
    clean(page)
    page.get_by_role("button", name="sure").click()
    expect(page.locator("ul.messagelist")).to_contain_text("deleted")
    clean(page)


def test_a_price_version_gets_another_tier(page: Page) -> None:
    page.goto("/admin/pricing/priceversion/add/")
    rows = page.locator(".dynamic-tiers")
    before = rows.count()
    page.locator(".add-row a").click()
    expect(rows).to_have_count(before + 1)
    clean(page)
    page.locator(".inline-deletelink").last.click()
    expect(rows).to_have_count(before)
    clean(page)


def test_the_theme_is_changed_without_a_reload(page: Page, browser: Browser) -> None:
    page.goto("/admin/")
    page.locator(".account-menu summary").click()
    with page.expect_response("**/theme/"):
        page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.locator("body")).to_have_css("background-color", "rgb(22, 20, 15)")
    page.reload()
    expect(page.locator("body")).to_have_css("background-color", "rgb(22, 20, 15)")
    page.locator(".account-menu summary").click()
    page.get_by_role("button", name="Like the device").click()
    expect(page.locator("body")).to_have_css("background-color", "rgb(250, 248, 243)")
    clean(page)


ASSIGN = """(html) => {
  try { document.createElement("div").innerHTML = html; return "passed"; }
  catch (error) { return error.name; }
}"""
CODE = [
    "document.createElement('script').text = 'window.hit = 1'",
    "document.createElement('script').src = '/static/js/menu.js'",
    "document.createElement('iframe').srcdoc = '<p>x</p><script>parent.hit = 1</script>'",
    "setTimeout('window.hit = 1')",
    "document.write('<script>window.hit = 1</script>')",
]


def test_the_policy_lets_only_inert_markup_through(signed_in: BrowserContext) -> None:
    page = signed_in.new_page()
    page.goto("/admin/")
    assert {html: page.evaluate(ASSIGN, html) for html in INERT} == dict.fromkeys(INERT, "passed")
    clean(page)
    refused = {html: page.evaluate(ASSIGN, html) for html in HOSTILE}
    assert refused == dict.fromkeys(HOSTILE, "TypeError")
    for code in CODE:
        with pytest.raises(Error, match="Trusted"):
            page.evaluate(f"() => {{ {code} }}")
    assert page.evaluate("window.hit") is None
    page.close()


def test_a_long_string_is_judged_in_no_time(signed_in: BrowserContext) -> None:
    page = signed_in.new_page()
    page.goto("/admin/")
    for html in ("<a " + "data-" * 5000, "<p " + 'class=""' * 5000 + "<", "<p>" * 50_000 + "<x"):
        start = page.evaluate("performance.now()")
        assert page.evaluate(ASSIGN, html) == "TypeError"
        assert page.evaluate("performance.now()") - start < 500
    page.close()

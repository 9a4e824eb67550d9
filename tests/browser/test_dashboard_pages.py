"""The pages beside the chart: budgets, reconciliation, what if, an earlier report, API tokens."""

import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.analytics_vendor import AnalyticsVendor, Billed
from tests.browser.conftest import Visit
from tests.servers import ROOT, Server

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def ledger(demo_server: Server) -> Server:
    """A server with three hundred made-up calls of demonstration money."""
    demo_server.manage("make_demo_data", "--calls", "300", "--people", "5", "--days", "20")
    return demo_server


def pusd(page: Page, figure: str) -> float:
    return float(
        page.locator(".figures div", has_text=figure).locator("data").get_attribute("value") or 0
    )


def test_a_budget_is_set_asked_for_and_granted(visit: Visit, ledger: Server) -> None:
    admin = visit(ledger, "admin", "/dashboard/budgets/")
    admin.get_by_label("For", exact=True).select_option("person")
    admin.get_by_label(re.compile("^Person")).select_option(label="bob")
    admin.get_by_label("Limit in dollars").fill("2")
    admin.get_by_role("button", name="Set it").click()
    expect(admin.get_by_text("The budget is set.")).to_be_visible()
    expect(admin.locator(".budgets li")).to_contain_text("Bob")

    bob = visit(ledger, "bob", "/usage/budgets/")
    bob.get_by_role("button", name="Ask for more").click()
    expect(bob.get_by_text("You asked for more on")).to_be_visible()
    expect(bob.get_by_role("button", name="Ask for more")).to_have_count(0)

    admin.reload()
    admin.get_by_role("button", name="Grant $3.00").click()
    expect(admin.get_by_text("Granted: it is $3.00 now.")).to_be_visible()
    bob.reload()
    expect(bob.get_by_text("More was granted on")).to_be_visible()

    admin.get_by_role("link", name="Bob", exact=True).click()
    expect(admin.get_by_label("Limit in dollars")).to_have_value(re.compile("^3"))
    bob.forgiven.append("404")  # type: ignore[attr-defined]
    assert bob.goto("/dashboard/budgets/").status == 404  # type: ignore[union-attr]


def test_a_comparison_with_the_vendor_is_shown(visit: Visit, ledger: Server) -> None:
    page = visit(ledger, "admin", "/dashboard/reconciliation/")
    expect(page.get_by_text("Nothing has been compared yet")).to_be_visible()
    yesterday = datetime.now(UTC) - timedelta(days=1)
    with AnalyticsVendor() as vendor:
        usage = {"input_tokens": 21, "output_tokens": 77, "service_tier": "standard"}
        vendor.bill.append(Billed(yesterday, "claude-haiku-4-5", usage))
        done = subprocess.run(
            [sys.executable, "manage.py", "reconcile", "--from", f"{yesterday:%Y-%m-%d}"],
            cwd=ROOT,
            env=ledger.env
            | {"ANTHROPIC_BASE_URL": vendor.url, "ANTHROPIC_ADMIN_KEY": "sk-ant-admin-test"},
            capture_output=True,
            text=True,
        )
    assert (done.returncode, "They differ." in done.stderr) == (1, True), done.stderr
    page.reload()
    expect(page.get_by_text("They differ")).to_be_visible()
    found = page.locator(".table tbody tr")
    expect(found).to_have_count(1)
    expect(found).to_contain_text("1")
    assert pusd(page, "Difference") == pytest.approx(0.000406)
    expect(page.locator(".table tfoot data")).to_have_attribute("value", "0.000406")


def test_what_if_and_what_was_known_start_from_the_page(visit: Visit, ledger: Server) -> None:
    page = visit(ledger, "admin", "/dashboard/?range=7d&model=claude-haiku-4-5")
    spent = float(page.locator(".big data").get_attribute("value") or 0)

    page.get_by_text("More", exact=True).click()
    page.get_by_role("link", name="What if").click()
    page.get_by_label("Another model").select_option("claude-opus-4-8")
    page.get_by_role("button", name="Reckon").click()
    assert pusd(page, "As it was") == pytest.approx(spent)
    assert pusd(page, "As it would be") > spent

    page.get_by_role("link", name="Spend", exact=True).last.click()
    page.get_by_text("More", exact=True).click()
    page.get_by_role("link", name="As known earlier").click()
    page.get_by_label("By").select_option("Person")
    page.get_by_label("As known at").fill(f"{datetime.now(UTC):%Y-%m-%d}T23:59")
    page.get_by_role("button", name="Show").click()
    assert pusd(page, "As known then") == pytest.approx(spent)
    assert pusd(page, "Learned since") == 0
    page.get_by_label("As known at").fill("2020-01-01T00:00")
    page.get_by_role("button", name="Show").click()
    assert pusd(page, "As known then") == 0

    own = visit(ledger, "bob", "/usage/")
    for name in ("What if", "As known earlier"):
        own.get_by_text("More", exact=True).click()
        own.get_by_role("link", name=name).click()
        expect(own.get_by_role("heading", name=name)).to_be_visible()
        own.get_by_role("link", name="My usage", exact=True).last.click()


def test_a_token_reads_until_it_is_revoked(visit: Visit, ledger: Server) -> None:
    page = visit(ledger, "admin", "/dashboard/tokens/")
    page.get_by_label("Name").fill("nightly report")
    page.get_by_role("button", name="Make it").click()
    secret = page.locator(".secret").inner_text()
    address = f"{ledger.url}/api/v1/spend.json?range=7d"
    asked = urllib.request.Request(address, headers={"Authorization": f"Bearer {secret}"})
    with urllib.request.urlopen(asked) as answer:
        assert json.load(answer)["totals"]["calls"] > 0
    page.goto("/dashboard/tokens/")
    expect(page.locator("body")).not_to_contain_text(secret)
    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("revoked")).to_be_visible()
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(asked)


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("path", ["budgets/", "reconciliation/", "what-if/", "earlier/", "tokens/"])
def test_no_page_scrolls_sideways(visit: Visit, ledger: Server, width: int, path: str) -> None:
    page = visit(ledger, "admin", f"/dashboard/{path}", viewport={"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width

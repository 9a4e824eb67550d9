"""Until when a refused reply waits: in words and zone of the reader, and no Retry before that."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from django.utils.translation import override

from chatapp.chat.articles import article_html, shown
from chatapp.chat.conversation import post
from chatapp.chat.models import Message, Settlement
from chatapp.chat.waiting import Wait
from tests.chat.conftest import ask


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> datetime:
    noon = datetime(2026, 1, 5, 12, 0, 30, tzinfo=UTC)
    monkeypatch.setattr(timezone, "now", lambda: noon)
    return noon


def said(wait: Wait | None) -> str:
    assert wait
    return wait.words


def test_today_needs_no_date(now: datetime) -> None:
    wait = Wait.until(now + timedelta(hours=2, minutes=4, seconds=10))
    assert said(wait) == "Try again after 14:05 UTC."
    assert wait
    assert wait.seconds == 7450
    assert said(Wait.until(now.replace(minute=5, second=0))) == "Try again after 12:05 UTC."


def test_another_day_has_its_date(now: datetime) -> None:
    wait = Wait.until(now + timedelta(days=1))
    assert said(wait) == "Try again after 6 Jan 2026, 12:01 UTC."
    with override("de"):
        assert said(wait) == "Ab 6. Jan 2026, 12:01 UTC noch einmal versuchen."
    with timezone.override("Asia/Tokyo"):
        assert (
            said(Wait.until(now + timedelta(hours=4))) == "Try again after 6 Jan 2026, 01:01 JST."
        )


def test_what_is_over_needs_no_words(now: datetime) -> None:
    assert Wait.until(now) is None
    assert Wait.until(None) is None


def failed(user: Any, *, retry_in: timedelta | None, error: str = "rate_limited") -> Message:
    generation = post(user, ask()).generation
    how = Settlement(
        state="failed",
        text="",
        error=error,
        explanation="Claude was asked too often in a short time.",
        retry_at=retry_in and timezone.now() + retry_in,
    )
    assert generation.settle(how, fence=generation.fence)
    return shown().get(generation=generation.id)


@pytest.mark.usefixtures("prices")
def test_retry_is_offered_when_it_can_succeed(alice: Any) -> None:
    waiting = article_html(failed(alice, retry_in=timedelta(hours=1)))
    assert "Try again after" in waiting
    assert re.search(r'data-wait="3[56]\d\d"', waiting)
    assert 'data-action="again" disabled>' in waiting
    for retry_in in None, timedelta(seconds=-1):
        ready = article_html(failed(alice, retry_in=retry_in))
        assert "Try again after" not in ready
        assert 'data-action="again">' in ready


@pytest.mark.usefixtures("prices")
def test_no_time_is_promised_where_an_admin_has_to_act(alice: Any) -> None:
    html = article_html(failed(alice, retry_in=timedelta(seconds=15), error="unauthorized"))
    assert "Try again after" not in html
    assert 'data-action="again">' in html

"""Tokens for programs: made and revoked by an admin, and what they open."""

import json
from typing import Any

import pytest
from django.test import Client

from chatapp.accounts.models import User
from chatapp.dashboard.tokens import ApiToken
from tests.dashboard.conftest import TODAY, signed_in

JSON, CSV = "/api/v1/spend.json", "/api/v1/spend.csv"
FOCUS = "/api/v1/focus.csv"


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatapp.dashboard.api.business_today", lambda: TODAY)


def get(page: str, secret: str) -> Any:
    return Client().get(page, headers={"Authorization": f"Bearer {secret}"})


def body(answer: Any) -> str:
    """An asynchronous stream, as the test client hands it to a synchronous test."""
    return b"".join(answer).decode()


@pytest.mark.django_db(transaction=True)
@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume asynchronous")
def test_a_token_reads_what_the_export_says(ledger: Any, admin: User) -> None:
    token, secret = ApiToken.objects.make(name="Finance", by=admin)
    page = signed_in(admin)
    for query in ("range=12m", "range=30d&model=claude-haiku-4-5", "range=7d&status=estimated"):
        for ours, theirs in ((JSON, "export.json"), (CSV, "export.csv"), (FOCUS, "focus.csv")):
            answer = get(f"{ours}?{query}", secret)
            assert answer.status_code == 200
            assert body(answer) == body(page.get(f"/dashboard/{theirs}?{query}"))
    found = json.loads(body(get(f"{JSON}?range=12m", secret)))
    assert found["totals"]["calls"] == len(found["calls"]) > 100
    token.refresh_from_db()
    assert token.used_at


@pytest.mark.django_db(transaction=True)
def test_nobody_else_gets_in(admin: User, alice: User) -> None:
    token, secret = ApiToken.objects.make(name="x", by=admin)
    for wrong in ("", "chatapp_guess", secret[:-1], secret + "x", token.digest, "\x00"):
        assert get(JSON, wrong).status_code == 401
    assert Client().get(JSON).status_code == 401
    assert signed_in(admin).get(JSON).status_code == 401
    assert get(f"{JSON}?from=never", secret).status_code == 400
    assert Client().post(JSON, headers={"Authorization": f"Bearer {secret}"}).status_code == 405
    token.revoke(by=alice)
    assert get(JSON, secret).status_code == 401
    _, powerless = ApiToken.objects.make(name="y", by=alice)
    assert get(JSON, powerless).status_code == 401


@pytest.mark.django_db(transaction=True)
def test_a_token_ends_with_its_makers_access(admin: User) -> None:
    _, secret = ApiToken.objects.make(name="x", by=admin)
    User.objects.filter(pk=admin.pk).update(is_active=False)
    assert get(JSON, secret).status_code == 401


def test_the_secret_is_shown_once_and_not_kept(admin: User) -> None:
    client = signed_in(admin)
    secret = client.post("/dashboard/tokens/", {"name": "Finance"}).context["secret"]
    token = ApiToken.objects.get()
    assert secret.startswith(token.prefix)
    assert secret not in json.dumps(list(ApiToken.objects.values()), default=str)
    page = client.get("/dashboard/tokens/").text
    assert (secret in page, token.prefix in page) == (False, True)
    assert client.post("/dashboard/tokens/", {"name": ""}).status_code == 400
    client.post(f"/dashboard/tokens/{token.pk}/revoke/")
    token.refresh_from_db()
    assert (token.revoked_by, token.revoked_at is not None) == (admin, True)
    assert "revoked" in client.get("/dashboard/tokens/").text


def test_only_admins_make_and_revoke(payer: Client, admin: User, client: Client) -> None:
    token, _ = ApiToken.objects.make(name="x", by=admin)
    for page in ("/dashboard/tokens/", f"/dashboard/tokens/{token.pk}/revoke/"):
        assert payer.post(page, {"name": "mine"}).status_code == 404
        assert client.post(page, {"name": "mine"}).status_code == 302
    assert ApiToken.objects.live().count() == 1

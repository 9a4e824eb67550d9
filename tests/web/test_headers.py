"""What every answer carries: refusals, errors and the admin's pages too."""

import gzip
import re
import runpy
from typing import Any

import pytest
from channels.testing import HttpCommunicator
from django.core.asgi import get_asgi_application
from django.http import HttpResponse
from django.test import Client
from django.urls import path

from chatapp import settings as chatapp_settings
from chatapp import urls
from tests.servers import PASSWORD, ROOT

HOST = "chat.example.com"
PRODUCTION = {"PRODUCTION": "1", "PUBLIC_URL": f"https://{HOST}", "ALLOWED_HOSTS": HOST}
CSP = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self' ws://127.0.0.1:8000",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "object-src 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types chatapp default",
}


def boom(request: Any) -> None:
    raise RuntimeError("secret detail")


def part(request: Any) -> HttpResponse:
    return HttpResponse("export {};", content_type="text/javascript")


urlpatterns = [*urls.urlpatterns, path("boom/", boom), path("part.js", part)]


@pytest.mark.django_db
@pytest.mark.urls("tests.web.test_headers")
class TestEveryAnswer:
    @pytest.mark.parametrize(
        ("address", "status"),
        [
            *[("/account/", 200), ("/nowhere/", 404), ("/boom/", 500), ("/admin/", 200)],
            *[("/robots.txt", 200), ("/livez", 200), ("/favicon.ico", 301), ("/", 200)],
        ],
    )
    def test_has_the_headers(self, admin: Any, address: str, status: int) -> None:
        client = Client(raise_request_exception=False)
        client.force_login(admin)
        answer = client.get(address)
        assert answer.status_code == status
        policy = {part.strip() for part in answer["Content-Security-Policy"].split(";")}
        assert {part.partition(" 'nonce-")[0] for part in policy} == CSP
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["X-Frame-Options"] == "DENY"
        assert answer["Referrer-Policy"] == "same-origin"
        assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
        assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "camera=()" in answer["Permissions-Policy"]
        assert "no-store" in answer["Cache-Control"]

    def test_a_foreign_host_is_refused_with_the_headers(self, client: Client) -> None:
        answer = client.get("/sign-in/", headers={"Host": "evil.example"})
        assert answer.status_code == 400
        assert "default-src 'none'" in answer["Content-Security-Policy"]

    def test_a_part_of_a_page_runs_under_the_page_s_policies(self, client: Client) -> None:
        answer = client.get("/part.js")
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "Content-Security-Policy" not in answer
        assert "Permissions-Policy" not in answer

    def test_a_page_is_compressed(self, client: Client) -> None:
        answer = client.get("/sign-in/", headers={"Accept-Encoding": "gzip"})
        assert answer["Content-Encoding"] == "gzip"
        assert b"<h1>" in gzip.decompress(answer.content)
        assert b"<h1>" in client.get("/sign-in/").content

    def test_a_failure_shows_nothing_of_itself(self) -> None:
        answer = Client(raise_request_exception=False).get("/boom/")
        assert b"secret detail" not in answer.content
        assert b"Traceback" not in answer.content

    @pytest.mark.parametrize("method", ["TRACE", "OPTIONS", "PUT", "DELETE", "PATCH", "BREW"])
    def test_other_methods_do_not_exist(self, client: Client, method: str) -> None:
        assert client.generic(method, "/sign-in/").status_code == 405

    def test_a_form_needs_its_token(self, admin: Any) -> None:
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(admin)
        assert strict.post("/sign-out/").status_code == 403


def test_no_module_listens_to_other_windows() -> None:
    """Framing and opening are refused by headers; what another window may still say is not heard."""
    for module in (ROOT / "static" / "js").glob("*.js"):
        listens = r"""addEventListener\(\s*["']message|window\.(onmessage|opener)|postMessage"""
        assert not re.search(listens, module.read_text()), module.name


@pytest.fixture
def production(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What settings.py makes of PRODUCTION=1, for what says something to browsers."""
    for name, value in PRODUCTION.items():
        monkeypatch.setenv(name, value)
    found = runpy.run_path(chatapp_settings.__file__)
    for name, value in found.items():
        if name.startswith(("SESSION_", "CSRF_", "SECURE_", "CONTENT_SECURITY", "ALLOWED_")):
            setattr(settings, name, value)


@pytest.mark.django_db
@pytest.mark.usefixtures("production")
class TestInProduction:
    def test_cookies_are_for_this_host_over_tls_and_for_no_script(self, alice: Any) -> None:
        browser = Client(headers={"host": HOST}, enforce_csrf_checks=True)
        browser.get("/sign-in/", secure=True)
        form = {"username": "alice", "password": PASSWORD}
        form["csrfmiddlewaretoken"] = browser.cookies["__Host-csrftoken"].value
        secure = {"secure": True, "headers": {"origin": f"https://{HOST}"}}
        assert browser.post("/sign-in/", form, **secure).status_code == 302
        assert set(browser.cookies) == {"__Host-sessionid", "__Host-csrftoken"}
        for cookie in browser.cookies.values():
            assert cookie["secure"]
            assert cookie["httponly"]
            assert (cookie["samesite"], cookie["path"], cookie["domain"]) == ("Lax", "/", "")

    @pytest.mark.parametrize("address", ["/sign-in/", "/nowhere/", "/livez", "/admin/"])
    def test_browsers_come_back_over_tls_only(self, address: str) -> None:
        answer = Client(headers={"host": HOST}).get(address, secure=True)
        hsts = answer["Strict-Transport-Security"]
        assert hsts == "max-age=31536000; includeSubDomains; preload"
        assert f"wss://{HOST}" in answer["Content-Security-Policy"]

    def test_without_tls_a_page_is_only_sent_away(self) -> None:
        answer = Client(headers={"host": HOST}).get("/sign-in/")
        assert (answer.status_code, answer["Location"]) == (301, f"https://{HOST}/sign-in/")
        assert not answer.cookies

    @pytest.mark.parametrize(
        "claim",
        [
            (b"x-forwarded-host", b"evil.example"),
            (b"x_forwarded_proto", b"https"),
            (b"x_forwarded_host", b"evil.example"),
        ],
    )
    async def test_what_a_client_claims_is_not_believed(self, claim: tuple[bytes, bytes]) -> None:
        headers = [(b"host", HOST.encode()), claim]
        page = HttpCommunicator(get_asgi_application(), "GET", "/sign-in/", headers=headers)
        answer = await page.get_response()
        await page.wait()
        location = (b"Location", f"https://{HOST}/sign-in/".encode())
        assert answer["status"] == 301
        assert location in answer["headers"]

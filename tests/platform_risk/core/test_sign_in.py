"""Coming in and going out, and what somebody sees who may not."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from platform_risk.core.models import Service, User
from tests.factories import PASSWORD
from tests.platform_risk.pages import Markup, faults, text_of

pytestmark = pytest.mark.django_db
SignedIn = Callable[[User], Client]
SIGN_IN = "/sign-in/"


@pytest.fixture(autouse=True)
def _attempts_of_this_test_alone(settings: Any) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "sign-in"}}
    cache.clear()


@pytest.fixture
def person(alice: User) -> User:
    alice.set_password(PASSWORD)
    alice.save()
    return alice


def attempt(client: Client, username: str = "alice", password: str = PASSWORD, **more: str) -> Any:
    return client.post(SIGN_IN, {"username": username, "password": password, **more})


@pytest.mark.parametrize(
    "url",
    [
        "/",
        "/services/",
        "/teams/",
        "/environments/",
        "/ownership/",
        "/account/",
        "/users/",
        "/audit/",
        "/services/checkout/",
    ],
)
def test_without_a_session_every_page_leads_to_the_sign_in_and_back(
    client: Client, person: User, checkout: Service, url: str
) -> None:
    answer = client.get(url)
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"{SIGN_IN}?next={url}"
    assert attempt(client, next=url).headers["Location"] == url


def test_name_and_password_open_the_overview(client: Client, person: User) -> None:
    assert attempt(client).headers["Location"] == "/"
    assert "Sign out" in text_of(client, "/")


def test_a_wrong_password_and_an_unknown_name_are_told_alike(client: Client, person: User) -> None:
    wrong = attempt(client, password="not the password")
    unknown = attempt(client, username="nobody-here", password="not the password")
    assert wrong.status_code == unknown.status_code == 200
    for answer in (wrong, unknown):
        page = Markup(answer.content.decode())
        assert "User name or password is wrong." in page.source
        assert "not the password" not in page.source
        assert faults(page.source) == []
    assert not Session.objects.exists()


def test_who_is_deactivated_does_not_come_in_and_is_out_at_once(client: Client, person: User) -> None:
    attempt(client)
    person.is_active = False
    person.save()
    assert client.get("/").status_code == 302
    assert "is wrong" in attempt(client).content.decode()


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "http:///evil"]
)
def test_the_sign_in_leads_to_no_other_site(client: Client, person: User, elsewhere: str) -> None:
    assert attempt(client, next=elsewhere).headers["Location"] == "/"


def test_who_is_signed_in_already_goes_on(signed_in: SignedIn, alice: User) -> None:
    answer = signed_in(alice).get(SIGN_IN, {"next": "/services/"})
    assert answer.headers["Location"] == "/services/"


def test_after_too_many_attempts_even_the_right_password_waits(
    client: Client, person: User, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.SIGN_IN_ATTEMPTS = 3
    for _ in range(3):
        assert attempt(client, password="wrong").status_code == 200
    with caplog.at_level(logging.WARNING):
        answer = attempt(client)
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "900"
    body = answer.content.decode()
    assert "up to 15 minutes" in body
    assert faults(body) == []
    assert "too many attempts from 127.0.0.1" in caplog.text


def test_success_takes_an_attempt_back(client: Client, person: User, settings: Any) -> None:
    settings.SIGN_IN_ATTEMPTS = 2
    for _ in range(5):
        assert attempt(client).status_code == 302


def test_one_who_is_locked_out_does_not_lock_out_others(
    client: Client, person: User, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.SIGN_IN_ATTEMPTS = 2
    with caplog.at_level(logging.ERROR):
        answers = [attempt(client, username="mallory", password="wrong").status_code for _ in range(3)]
    assert answers == [200, 200, 429]
    elsewhere = Client(REMOTE_ADDR="192.0.2.7")
    assert attempt(elsewhere).status_code == 302


def test_a_fragment_asked_for_after_the_session_ended_sends_the_whole_page_to_the_sign_in(client: Client) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/findings/?q=is:open"}
    answer = client.get(SIGN_IN, headers=headers)
    assert answer.status_code == 204
    assert answer.headers["HX-Redirect"] == "/sign-in/?next=%2Ffindings%2F%3Fq%3Dis%3Aopen"


def test_signing_out_ends_the_session_and_takes_a_form(signed_in: SignedIn, alice: User) -> None:
    client = signed_in(alice)
    assert client.get("/sign-out/").status_code == 405
    assert client.post("/sign-out/").headers["Location"] == SIGN_IN
    assert not Session.objects.exists()
    assert client.get("/").status_code == 302


def test_a_form_that_is_not_ours_is_refused_in_words(person: User) -> None:
    client = Client(enforce_csrf_checks=True)
    answer = attempt(client)
    assert answer.status_code == 403
    body = answer.content.decode()
    assert "This form is out of date" in body
    assert faults(body) == []


def test_the_pages_of_errors_stand_without_a_session(client: Client, settings: Any) -> None:
    settings.DEBUG = False
    body = text_of(client, "/there/is/nothing/", status=404)
    assert "There is nothing here" in body
    assert "Open findings" not in body
    assert faults(body) == []


def test_an_error_of_ours_shows_a_page_that_needs_nothing(
    signed_in: SignedIn, alice: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("zqx: a secret of the server")

    monkeypatch.setattr("platform_risk.joint.overview.tallies", broken)
    client = signed_in(alice)
    client.raise_request_exception = False
    with caplog.at_level(logging.CRITICAL):
        body = text_of(client, "/", status=500)
    assert "Something went wrong" in body
    assert "zqx" not in body
    assert faults(body) == []


def test_the_sign_in_is_reachable_under_its_public_address() -> None:
    assert reverse("core:sign-in") == SIGN_IN

"""The cast: alice writes in team payments, mary manages it, vic looks at it; bob is in team search; ada is admin."""

import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
from django.test import Client, override_settings
from pytest_django import DjangoDbBlocker

from platform_risk.core.models import Service, Team, User
from tests import prepared_database
from tests.embedded_database import OURS
from tests.examples import examples
from tests.factories import make_service, make_team, make_token, make_user

# How long an example takes says how busy the machine is, and nothing about what is tried.
# Samples are what checks read; some are files of tests.
collect_ignore = ["samples"]

hypothesis.settings.register_profile(
    "suite", max_examples=examples(100), deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("suite")
SAMPLES = Path(__file__).parent / "samples"


def pytest_collection_finish() -> None:
    """What is loaded by now stays: walking through it again and again takes a twentieth of the processor."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, django_db_blocker: DjangoDbBlocker
) -> None:
    """Overrides the fixture of pytest-django that has its say before the test database is made."""
    if os.environ.get(OURS):
        with django_db_blocker.unblock():
            prepared_database.use_one()


@pytest.fixture(autouse=True, scope="session")
def _passwords_are_hashed_fast() -> Iterator[None]:
    # The product's hasher is slow on purpose, a quarter of a second for each sign-in.
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture(autouse=True)
def _files_in_a_folder_of_the_test(request: pytest.FixtureRequest) -> None:
    # Nothing is asked for in advance: thousands of tests need neither a folder nor settings.
    if "db" in request.fixturenames or "transactional_db" in request.fixturenames:
        settings, folder = request.getfixturevalue("settings"), request.getfixturevalue("tmp_path")
        storages = {**settings.STORAGES}
        storages["default"] = {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(folder / "files")},
        }
        settings.STORAGES = storages
        if "transactional_db" not in request.fixturenames:
            # The heartbeat has a connection of its own, which sees nothing of a test's open transaction.
            settings.IMPORT_HEARTBEAT_SECONDS = 3600


@pytest.fixture
def payments(db: None) -> Team:
    return make_team("payments")


@pytest.fixture
def search(db: None) -> Team:
    return make_team("search")


@pytest.fixture
def alice(payments: Team) -> User:
    return make_user("alice", payments="member")


@pytest.fixture
def mary(payments: Team) -> User:
    return make_user("mary", payments="manager")


@pytest.fixture
def vic(payments: Team) -> User:
    return make_user("vic", payments="viewer")


@pytest.fixture
def bob(search: Team) -> User:
    return make_user("bob", search="member")


@pytest.fixture
def ada(db: None) -> User:
    user = make_user("ada")
    user.is_superuser = user.is_staff = True
    user.save()
    return user


@pytest.fixture
def checkout(payments: Team) -> Service:
    return make_service("checkout", payments)


@pytest.fixture
def signed_in() -> Callable[[User], Client]:
    def client_of(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return client_of


@pytest.fixture
def api() -> Callable[..., Client]:
    """`api(alice)` is a client with a write token; `api(alice, "read")` one with another scope."""

    def client_of(user: User, scope: str = "write") -> Client:
        return Client(headers={"authorization": f"Bearer {make_token(user, scope)}"})

    return client_of

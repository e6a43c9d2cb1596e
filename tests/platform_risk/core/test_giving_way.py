"""Two requests that wait for each other: the database gives one up, and both are answered."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection, transaction
from django.test import Client

from platform_risk.core.giving_way import MOST, again
from platform_risk.core.imports import services
from platform_risk.core.models import Import, Service, Team, User
from tests.factories import make_service, sarif, sarif_result

pytestmark = pytest.mark.django_db(transaction=True)


def given_up() -> OperationalError:
    error = OperationalError("deadlock detected")
    error.__cause__ = psycopg.errors.DeadlockDetected()
    return error


def test_two_that_lock_the_same_rows_in_opposite_order_both_end(payments: Team) -> None:
    rows = [make_service(slug, payments).pk for slug in ("a", "b")]
    met, attempts = threading.Barrier(2), []

    def lock(order: list[int]) -> str:
        def work() -> str:
            attempts.append(order)
            with transaction.atomic():
                Service.objects.select_for_update().get(pk=order[0])
                if len(attempts) <= 2:
                    met.wait(5)
                return Service.objects.select_for_update().get(pk=order[1]).slug

        try:
            return again(work)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(lock, [rows, rows[::-1]])) == ["a", "b"]
    assert len(attempts) == 3


def test_work_that_gives_way_every_time_ends_with_its_error_and_other_errors_are_not_tried_again() -> None:
    calls: list[int] = []

    def always(error: Exception) -> Callable[[], None]:
        def work() -> None:
            calls.append(1)
            raise error

        return work

    with pytest.raises(OperationalError):
        again(always(given_up()))
    assert len(calls) == MOST
    with pytest.raises(OperationalError):
        again(always(OperationalError("the server closed the connection")))
    assert len(calls) == MOST + 1
    with transaction.atomic(), pytest.raises(OperationalError):
        again(always(given_up()))  # what is around it was given up too
    assert len(calls) == MOST + 2
    closed = SimpleUploadedFile("x", b"x")
    closed.close()
    with pytest.raises(OperationalError):
        again(always(given_up()), [closed])
    assert len(calls) == MOST + 3


def test_a_page_and_a_call_of_the_api_that_gave_way_are_answered_as_if_nothing_had_been(
    client: Client, api: Callable[..., Client], alice: User, checkout: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform_risk.core.tasks.run_import.delay", lambda _: None)
    real, times = services.receive, []

    def second_time(file: Any, *args: Any, **kwargs: Any) -> Any:
        times.append(file.read())  # as far as it came
        if len(times) % 2:
            raise given_up()
        file.seek(0)
        return real(file, *args, **kwargs)

    monkeypatch.setattr(services, "receive", second_time)
    reports = [sarif(sarif_result(f"rule-{n}"), at=f"2026-11-0{n}T10:00:00Z") for n in (1, 2)]
    files = [SimpleUploadedFile("report.sarif", report) for report in reports]
    sent = api(alice).post("/api/v1/imports/", {"file": files[0], "service": "checkout"})
    client.force_login(alice)
    shown = client.post("/imports/", {"file": files[1], "service": "checkout", "kind": "scan"})
    assert (sent.status_code, shown.status_code) == (202, 302)
    assert times == [reports[0], reports[0], reports[1], reports[1]]
    assert Import.objects.count() == 2


def test_what_gave_way_before_it_was_decided_who_may_is_not_answered(
    api: Callable[..., Client], vic: User, checkout: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gives_way(*args: Any) -> bool:
        raise given_up()

    monkeypatch.setattr("platform_risk.core.api.authentication.ScopedPermission.has_permission", gives_way)
    client = api(vic, "read")
    client.raise_request_exception = False
    assert client.get("/api/v1/services/").status_code == 500
    assert client.delete("/api/v1/services/checkout/").status_code == 500
    assert Service.objects.filter(slug="checkout").exists()

"""Figures and what they rest on are of one time, whoever writes at once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from findings import stating
from findings.models import Estimate
from platform_risk.core.models import Service, User
from tests.factories import sarif, sarif_result, upload
from tests.findings.stale import stale

pytestmark = pytest.mark.django_db(transaction=True)


def state(user: User, service: Service, name: str) -> None:
    stating.state(
        user=user, through="api", service=service, name=name, kind="number", numbers={"value": 0.5}, basis="A drill"
    )


def test_an_import_that_ends_while_an_input_is_stated_holds_it_too(alice: User, checkout: Service) -> None:
    stated, read = threading.Event(), threading.Event()

    def state_slowly() -> None:
        try:
            with transaction.atomic():
                state(alice, checkout, "recover")
                stated.set()
                read.wait(0.7)  # the import waits for this one after its end: not for ever
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(state_slowly)
        assert stated.wait(10)
        row = upload(sarif(sarif_result("new")), checkout)
        read.set()
        done.result()
    assert row.state == "done"
    assert Estimate.objects.count() == 1
    assert stale() == []


def test_the_second_of_two_that_state_inputs_of_a_service_sees_the_first(alice: User, checkout: Service) -> None:
    upload(sarif(sarif_result("old")), checkout)
    first = threading.Event()

    def recover() -> None:
        try:
            with transaction.atomic():
                state(alice, checkout, "recover")
                first.set()
                threading.Event().wait(0.3)  # the second has begun by then
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(recover)
        assert first.wait(10)
        state(alice, checkout, "users_affected")
        done.result()
    assert stale() == []

"""The contract of /imports/."""

import contextlib
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.utils import timezone

from platform_risk.core.api import imports
from platform_risk.core.errors import Refused
from platform_risk.core.imports import runner
from platform_risk.core.imports.destination import resolve
from platform_risk.core.models import AuditEvent, Import, ImportReject, Service, Team, User
from tests.factories import make_service, make_user, sarif, sarif_result, upload

URL = "/api/v1/imports/"
Api = Callable[..., Client]


@pytest.fixture(autouse=True)
def handed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Ids handed to the worker."""
    ids: list[int] = []
    monkeypatch.setattr("platform_risk.core.tasks.run_import.delay", ids.append)
    return ids


def send(client: Client, content: bytes | None = None, **fields: Any) -> Any:
    content = sarif(sarif_result(), at="2026-11-01T10:00:00Z") if content is None else content
    return client.post(URL, {"file": SimpleUploadedFile("report.sarif", content), "service": "checkout", **fields})


def test_a_file_is_taken_and_handed_to_a_worker(
    api: Api, alice: User, checkout: Service, handed: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        answer = send(api(alice), environment="production", source="probe", branch="main")
    assert answer.status_code == 202
    shown = answer.json()
    assert answer["Location"] == f"{URL}{shown['id']}/"
    assert [str(each) for each in handed] == [shown["id"]]
    assert (shown["kind"], shown["state"], shown["file_name"]) == ("scan", "queued", "report.sarif")
    assert shown["scope"] == {
        "service": "checkout",
        "environment": "production",
        "source": "probe",
        "branch": "main",
        "export": None,
        "billing_account": None,
    }
    assert shown["progress"] == {"bytes": 0, "bytes_total": shown["size_bytes"], "records": 0}


def test_a_broker_that_is_away_loses_nothing(
    api: Api,
    alice: User,
    checkout: Service,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    def away(import_id: int) -> None:
        raise OSError("no broker")

    monkeypatch.setattr("platform_risk.core.tasks.run_import.delay", away)
    with django_capture_on_commit_callbacks(execute=True):
        assert send(api(alice)).status_code == 202
    assert Import.objects.get().state == "queued"


def test_an_import_says_what_became_of_it(api: Api, alice: User, checkout: Service) -> None:
    client = api(alice)
    shown = send(client).json()
    runner.run(int(shown["id"]))
    done = client.get(f"{URL}{shown['id']}/").json()
    assert done["state"] == "done"
    assert done["format"] == "sarif"
    assert done["observed_at"] == "2026-11-01T10:00:00Z"
    counts = done["counts"]
    assert counts["read"] == sum(
        counts[name] for name in ("collapsed", "new", "changed", "unchanged", "rejected", "reopened")
    )
    assert counts["new"] == 1
    assert done["totals"] == []
    assert done["error"] is None


def test_a_failed_import_names_the_place_and_the_remedy(api: Api, alice: User, checkout: Service) -> None:
    client = api(alice)
    shown = send(client, b'{"version": "2.1.0", "runs": [{').json()
    runner.run(int(shown["id"]))
    error = client.get(f"{URL}{shown['id']}/").json()["error"]
    assert set(error) == {"code", "message", "location", "remedy"}
    assert set(error["location"]) == {"line", "column", "byte", "pointer", "entry"}
    assert error["remedy"]


def test_the_schema_names_exactly_what_is_shown(checkout: Service) -> None:
    row = upload(sarif(sarif_result()), checkout, run=False)
    assert set(imports.row(row)) == set(imports.ImportSerializer().fields)


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"complete": "perhaps"}, "/complete"),
        ({"format": "word"}, "/format"),
        ({"observed_at": "soon"}, "/observed_at"),
        ({"observed_at": "9999-12-31T23:59:59-14:00"}, "/observed_at"),
        ({"observed_at": "0001-01-01T00:00:00+14:00"}, "/observed_at"),
        ({"service": "Not a slug!"}, "/service"),
        ({"service": ""}, "/service"),
        ({"branch": "a\x00b"}, "/branch"),
        ({"branch": "x" * 251}, "/branch"),
        ({"kind": "poem"}, "/kind"),
        ({"colour": "red"}, "/colour"),
    ],
)
def test_a_field_that_cannot_be_is_refused(
    api: Api, alice: User, checkout: Service, fields: dict[str, Any], pointer: str
) -> None:
    answer = send(api(alice), **fields)
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert not Import.objects.exists()


def test_an_empty_file_is_refused(api: Api, alice: User, checkout: Service) -> None:
    answer = send(api(alice), b"")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/file"


def test_a_missing_file_is_refused(api: Api, alice: User, checkout: Service) -> None:
    answer = api(alice).post(URL, {"service": "checkout"})
    assert answer.json()["errors"][0]["pointer"] == "/file"


def test_json_is_no_way_to_hand_in_a_file(api: Api, alice: User, checkout: Service) -> None:
    assert api(alice).post(URL, {"service": "checkout"}, "application/json").status_code == 415


class _Unreadable:
    """A body that must not be read."""

    def read(self, *args: Any) -> bytes:
        raise AssertionError("the body was read")

    readline = read


@pytest.mark.parametrize("by", ["token", "session"])
def test_a_file_over_the_limit_is_refused_before_it_is_read(
    api: Api, signed_in: Callable[[User], Client], alice: User, checkout: Service, by: str
) -> None:
    client = api(alice) if by == "token" else signed_in(alice)
    over: dict[str, Any] = {"CONTENT_LENGTH": str(10**12), "wsgi.input": _Unreadable()}
    answer = client.generic("POST", URL, b"", "multipart/form-data; boundary=x", **over)
    assert answer.status_code == 413
    assert answer["Content-Type"] == "application/problem+json"


def test_a_file_over_the_limit_of_its_kind_is_refused(
    api: Api, alice: User, checkout: Service, settings: LazySettings
) -> None:
    limits = {kind: dict(values) for kind, values in settings.IMPORT_LIMITS.items()}
    limits["scan"]["stored_bytes"] = 10
    settings.IMPORT_LIMITS = limits
    assert send(api(alice)).status_code == 413
    assert not Import.objects.exists()


def test_a_multipart_body_that_is_none_is_a_problem(api: Api, alice: User, checkout: Service) -> None:
    client = api(alice)
    for content_type in (
        "multipart/form-data",
        "multipart/form-data; boundary=\xff",
        "multipart/form-data; boundary=x",
    ):
        answer = client.generic("POST", URL, b"--y\r\nrubbish", content_type)
        assert answer.status_code == 400
        assert answer["Content-Type"] == "application/problem+json"


def test_too_many_fields_are_a_problem(api: Api, alice: User, checkout: Service) -> None:
    answer = api(alice).post(URL, {f"f{number}": "x" for number in range(2000)})
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


def test_an_unknown_service_is_created_in_the_writers_only_team(api: Api, alice: User, payments: Team) -> None:
    assert send(api(alice), service="ledger").status_code == 202
    assert Service.objects.get(slug="ledger").team == payments
    assert AuditEvent.objects.filter(kind="service", action="created", actor=alice).exists()


def test_an_unknown_service_of_a_member_of_two_teams_needs_a_decision(api: Api, payments: Team, search: Team) -> None:
    both = make_user("both", payments="member", search="member")
    answer = send(api(both), service="ledger")
    assert answer.status_code == 400
    assert "create the service first" in answer.json()["detail"]


def test_an_admins_unknown_service_is_nobodys(api: Api, ada: User) -> None:
    assert send(api(ada), service="ledger").status_code == 202
    assert Service.objects.get(slug="ledger").team is None


def test_a_viewer_imports_nothing(api: Api, vic: User, checkout: Service) -> None:
    assert send(api(vic)).status_code == 403
    assert send(api(vic), service="ledger").status_code == 403


def test_a_strangers_service_name_is_taken_but_not_told(api: Api, bob: User, checkout: Service) -> None:
    answer = send(api(bob))
    assert answer.status_code == 400
    assert "checkout" not in answer.json()["detail"]


def test_imports_are_filtered_and_the_newest_comes_first(api: Api, alice: User, checkout: Service) -> None:
    other = make_service("ledger", checkout.team)
    first = upload(sarif(sarif_result()), checkout, run=False, branch="main")
    second = upload(sarif(sarif_result()), other, run=False, branch="main")
    client = api(alice)

    def ids(query: str) -> list[str]:
        return [row["id"] for row in client.get(f"{URL}?{query}").json()["results"]]

    assert ids("branch=main") == [str(second.pk), str(first.pk)]
    assert ids("service=checkout") == [str(first.pk)]
    assert ids("service=checkout&service=ledger") == [str(second.pk), str(first.pk)]
    assert ids("state=done") == []
    assert ids("state=done&state=queued&kind=scan") == [str(second.pk), str(first.pk)]
    tomorrow = (timezone.now() + timedelta(days=1)).isoformat().replace("+00:00", "Z")
    assert ids(f"updated_since={tomorrow}") == []
    created = first.created_at.isoformat().replace("+00:00", "Z")
    assert ids(f"updated_since={created}") == [str(second.pk), str(first.pk)]


@pytest.mark.parametrize(
    "query", ["service=nowhere", "state=lost", "kind=poem", "source=%00", "environment=mars", "x=1"]
)
def test_a_filter_that_makes_no_sense_is_refused(api: Api, alice: User, query: str) -> None:
    answer = api(alice).get(f"{URL}?{query}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["parameter"] == query.split("=")[0]


def test_a_page_of_imports_takes_three_queries(
    api: Api, alice: User, checkout: Service, django_assert_num_queries: Any
) -> None:
    for _ in range(5):
        upload(sarif(sarif_result()), checkout, run=False, user=alice)
    client = api(alice)
    client.get(URL)
    with django_assert_num_queries(3):  # token, roles, the list
        assert len(client.get(URL).json()["results"]) == 5


def test_rejects_are_paged_and_exported(api: Api, alice: User, checkout: Service) -> None:
    row = upload(sarif(sarif_result()), checkout, run=False)
    for number in range(3):
        ImportReject.objects.create(
            import_row=row, pointer=f"/runs/0/results/{number}", reason="No rule.", excerpt="=1"
        )
    client = api(alice)
    url = f"{URL}{row.pk}/rejects/"
    first = client.get(url, {"page_size": 2}).json()
    assert [each["location"]["pointer"] for each in first["results"]] == ["/runs/0/results/0", "/runs/0/results/1"]
    assert len(client.get(first["next"]).json()["results"]) == 1
    text = b"".join(client.get(url, {"format": "csv"}).streaming_content).decode()  # type: ignore[attr-defined]
    assert text.splitlines()[1] == "/runs/0/results/0,,No rule.,'=1,"


def test_a_queued_import_is_cancelled_once(api: Api, alice: User, checkout: Service) -> None:
    row = upload(sarif(sarif_result()), checkout, run=False)
    client = api(alice)
    answer = client.post(f"{URL}{row.pk}/cancel/")
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    again = client.post(f"{URL}{row.pk}/cancel/")
    assert again.status_code == 409
    assert re.search("cancelled", again.json()["detail"])


def test_the_last_applied_import_is_undone_and_no_other(api: Api, alice: User, checkout: Service) -> None:
    first = upload(sarif(sarif_result("R1")), checkout)
    second = upload(sarif(sarif_result("R2")), checkout)
    client = api(alice)
    assert client.post(f"{URL}{first.pk}/undo/", {}, "application/json").status_code == 409
    answer = client.post(f"{URL}{second.pk}/undo/", {"reason": "Wrong branch."}, "application/json")
    assert answer.status_code == 200
    assert answer.json()["undone_at"]
    assert AuditEvent.objects.get(action="undone").reason == "Wrong branch."
    again = client.post(f"{URL}{second.pk}/undo/", {}, "application/json")
    assert again.status_code == 409


@pytest.mark.parametrize("what", ["cancel", "undo"])
def test_a_viewer_sees_imports_and_changes_none(api: Api, vic: User, checkout: Service, what: str) -> None:
    row = upload(sarif(sarif_result()), checkout, run=False)
    client = api(vic)
    assert client.get(f"{URL}{row.pk}/").status_code == 200
    assert client.post(f"{URL}{row.pk}/{what}/").status_code == 403


@pytest.mark.django_db(transaction=True)
def test_reports_that_name_a_new_service_at_once_are_all_taken_and_make_one(
    alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    teams, looked = User.writing_team_ids, threading.Barrier(4)

    def together(user: User) -> Any:
        if not looked.broken:
            with contextlib.suppress(threading.BrokenBarrierError):
                looked.wait(5)  # by now all of them have looked for the service
            looked.abort()
        return teams.__get__(user)

    monkeypatch.setattr(User, "writing_team_ids", property(together))

    def name(user: User) -> str:
        try:
            return resolve(user=user, kind="scan", service="web", environment="canary").service.slug  # type: ignore[union-attr]
        except Refused as error:
            return str(error)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(name, [alice, alice, alice, bob]))
    made = Service.objects.get(slug="web")
    theirs, others = (told[:3], told[3:]) if made.team_id in alice.writing_team_ids else (told[3:], told[:3])
    assert set(theirs) == {"web"}
    assert set(others) == {"This name cannot be used: choose another."}
    assert AuditEvent.objects.filter(kind="service", action="created").count() == 1

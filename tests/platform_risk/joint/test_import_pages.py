"""Pages of imports: handing files in, watching them, what they changed, and putting it right."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from findings.models import Finding
from platform_risk.core.imports import runner
from platform_risk.core.imports import services as imports
from platform_risk.core.models import AuditEvent, ColumnMapping, Import, ImportReject, Service, User
from tests.factories import sarif, sarif_result, upload

pytestmark = pytest.mark.django_db
SignedIn = Callable[[User], Client]
IMPORTS = "/imports/"
JSON = {"Accept": "application/json"}
REVIEW = b"Number;What is wrong;Gravity\n1;Backups were never restored;high\n2;One token for all;low\n"


def file(content: bytes = b"", name: str = "report.sarif") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content or sarif(sarif_result()))


def finished(row: Import) -> Import:
    runner.run(row.pk)
    row.refresh_from_db()
    return row


def test_several_files_handed_in_at_once_are_an_import_each(
    alice: User, checkout: Service, signed_in: SignedIn
) -> None:
    files = [file(name="one.sarif"), file(sarif(sarif_result("R2")), "two.sarif")]
    answer = signed_in(alice).post(IMPORTS, {"service": "checkout", "file": files})
    assert answer.status_code == 302
    rows = Import.objects.order_by("id")
    assert [(row.file_name, row.service, row.created_by, row.state) for row in rows] == [
        ("one.sarif", checkout, alice, "queued"),
        ("two.sarif", checkout, alice, "queued"),
    ]


TOPIC = (
    b"apiVersion: kafka.strimzi.io/v1beta2\nkind: KafkaTopic\nmetadata: {name: a}\nspec: {partitions: 3, replicas: 1}\n"
)
GROUP = b'resource "aws_cloudwatch_log_group" "a" {\n  name = "/a"\n}\n'


def test_several_files_of_configuration_are_one_import(alice: User, checkout: Service, signed_in: SignedIn) -> None:
    """Each by itself is all that there is of its scope, so that it would close what the one before it found."""
    files = [file(TOPIC, "topic.yaml"), file(GROUP, "logs.tf"), file(name="report.sarif"), file(GROUP, "logs.tf")]
    paths = ["shop/topic.yaml", "shop/logs.tf", "report.sarif", "shop/logs.tf"]
    client = signed_in(alice)
    client.post(IMPORTS, {"service": "checkout", "file": files, "path": paths})
    rows = Import.objects.order_by("id")
    assert [(row.file_name, row.kind) for row in rows] == [("shop.zip", "platform"), ("report.sarif", "scan")]
    finished(rows[0])
    assert set(Finding.objects.values_list("path", flat=True)) >= {"shop/topic.yaml", "shop/logs.tf"}
    client.post(IMPORTS, {"service": "checkout", "file": [file(TOPIC, "topic.yaml"), file(GROUP, "logs.tf")]})
    assert Import.objects.order_by("id").last().file_name == "2 files.zip"  # type: ignore[union-attr]


def test_names_that_no_archive_has_room_for_are_cut(alice: User, checkout: Service, signed_in: SignedIn) -> None:
    files, paths = [file(TOPIC, "topic.yaml"), file(GROUP, "logs.tf")], ["x" * 70_000, f"../{'y' * 70_000}.tf"]
    sent = {"service": "checkout", "kind": "platform", "file": files, "path": paths}
    assert signed_in(alice).post(IMPORTS, sent).status_code == 302
    assert finished(Import.objects.get()).state == "done"
    assert {path[-5:] for path in Finding.objects.values_list("path", flat=True)} == {"yy.tf"}


def test_an_archive_beside_files_of_configuration_is_refused(
    alice: User, checkout: Service, signed_in: SignedIn
) -> None:
    files = [file(TOPIC, "topic.yaml"), file(b"PK", "more.zip")]
    answer = signed_in(alice).post(IMPORTS, {"service": "checkout", "kind": "platform", "file": files})
    assert answer.status_code == 422
    assert "one archive" in answer.text
    assert not Import.objects.exists()


def test_a_worker_is_called_only_after_the_row_is_committed(
    alice: User,
    checkout: Service,
    signed_in: SignedIn,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    called: list[int] = []
    monkeypatch.setattr("platform_risk.joint.receiving.run_import.delay", called.append)
    with django_capture_on_commit_callbacks(execute=True):
        signed_in(alice).post(IMPORTS, {"service": "checkout", "file": file()})
        assert not called
    assert called == [Import.objects.get().pk]


def test_with_the_broker_away_the_file_is_kept_all_the_same(
    alice: User,
    checkout: Service,
    signed_in: SignedIn,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    def away(pk: int) -> None:
        raise ConnectionError("no broker")

    monkeypatch.setattr("platform_risk.joint.receiving.run_import.delay", away)
    with django_capture_on_commit_callbacks(execute=True):
        answer = signed_in(alice).post(IMPORTS, {"service": "checkout", "file": file()}, headers=JSON)
    assert answer.status_code == 201
    assert Import.objects.get().state == "queued"


def test_a_script_gets_the_import_or_the_reason(alice: User, checkout: Service, signed_in: SignedIn) -> None:
    client = signed_in(alice)
    made = client.post(IMPORTS, {"service": "checkout", "file": file()}, headers=JSON)
    row = Import.objects.get()
    assert made.status_code == 201
    assert made.json() == {"imports": [{"id": row.pk, "address": f"/imports/{row.pk}/"}], "errors": {}}
    empty = SimpleUploadedFile("empty.sarif", b"")
    refused = client.post(IMPORTS, {"service": "checkout", "file": empty}, headers=JSON)
    assert refused.status_code == 422
    assert "empty" in str(refused.json()["errors"])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"service": ""}, "Name the service"),
        ({"service": "Not / a name"}, "Use a-z"),
        ({"service": "checkout", "format": "excel"}, "Select a valid choice"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    alice: User, checkout: Service, signed_in: SignedIn, data: dict[str, str], words: str
) -> None:
    answer = signed_in(alice).post(IMPORTS, {**data, "file": file()})
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Import.objects.exists()


def test_without_a_file_the_form_comes_back(alice: User, checkout: Service, signed_in: SignedIn) -> None:
    answer = signed_in(alice).post(IMPORTS, {"service": "checkout"})
    assert answer.status_code == 422
    assert "Choose a file." in answer.content.decode()


def test_a_file_over_the_limit_is_refused(alice: User, checkout: Service, signed_in: SignedIn, settings: Any) -> None:
    settings.IMPORT_LIMITS = {kind: {**limits, "stored_bytes": 10} for kind, limits in settings.IMPORT_LIMITS.items()}
    answer = signed_in(alice).post(IMPORTS, {"service": "checkout", "file": file()})
    assert answer.status_code == 422
    assert "at most 10" in answer.content.decode()
    assert not Import.objects.exists()


def test_a_body_over_the_limit_is_refused_before_it_is_read(
    alice: User, checkout: Service, signed_in: SignedIn, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.IMPORT_LIMITS = {kind: {**limits, "stored_bytes": 10} for kind, limits in settings.IMPORT_LIMITS.items()}
    read: list[int] = []
    handler = "platform_risk.core.uploads.BoundedUploadHandler"
    monkeypatch.setattr(f"{handler}.receive_data_chunk", lambda self, data, start: read.append(len(data)))
    answer = signed_in(alice).post(IMPORTS, {"service": "checkout", "file": file(b"x" * 100_000)})
    assert answer.status_code == 400
    assert read == []
    assert not Import.objects.exists()


def test_a_viewer_has_no_form_and_may_not_import(vic: User, checkout: Service, signed_in: SignedIn) -> None:
    client = signed_in(vic)
    assert 'id="upload"' not in client.get(IMPORTS).content.decode()
    assert client.post(IMPORTS, {"service": "checkout", "file": file()}).status_code == 403
    assert not Import.objects.exists()


def test_the_list_asks_again_only_while_something_is_unfinished(
    alice: User, checkout: Service, signed_in: SignedIn
) -> None:
    row = upload(sarif(sarif_result()), checkout, user=alice, run=False)
    client = signed_in(alice)
    assert "every 1s" in client.get("/imports/rows/").content.decode()
    finished(row)
    body = client.get("/imports/rows/").content.decode()
    assert "every 1s" not in body
    assert "<html" not in body


def test_the_page_of_an_import_follows_it_to_its_end(alice: User, checkout: Service, signed_in: SignedIn) -> None:
    row = upload(sarif(sarif_result()), checkout, user=alice, run=False)
    client, live = signed_in(alice), f"/imports/{row.pk}/live/"
    assert "Waiting for a worker" in client.get(live).content.decode()
    Import.objects.filter(pk=row.pk).update(state="running", bytes_done=512, bytes_total=1024, records_done=7)
    shown = client.get(live).content.decode()
    assert "7 records" in shown
    assert 'value="512" max="1024"' in shown
    Import.objects.filter(pk=row.pk).update(state="queued")
    finished(row)
    ended = client.get(live)
    assert (ended.status_code, ended["HX-Refresh"]) == (204, "true")


def test_the_diff_shows_what_is_new_changed_reopened_and_closed(
    alice: User, checkout: Service, signed_in: SignedIn
) -> None:
    upload(sarif(sarif_result("OLD", "old.py"), sarif_result("SAME", "same.py", 1)), checkout)
    upload(sarif(sarif_result("SAME", "same.py", 1)), checkout)
    row = upload(
        sarif(sarif_result("OLD", "old.py"), sarif_result("SAME", "same.py", 9), sarif_result("NEW", "new.py")),
        checkout,
    )
    client = signed_in(alice)
    shown = {
        tab: [
            rule
            for rule in ("OLD", "SAME", "NEW")
            if f"{rule} in " in client.get(f"/imports/{row.pk}/?tab={tab}").content.decode()
        ]
        for tab in ("new", "changed", "reopened", "closed")
    }
    assert shown == {"new": ["NEW"], "changed": ["SAME"], "reopened": ["OLD"], "closed": []}
    assert client.get(f"/imports/{row.pk}/?tab=other").status_code == 404


def test_what_another_source_had_told_otherwise_is_among_what_changed(
    alice: User, ada: User, checkout: Service, signed_in: SignedIn
) -> None:
    upload(sarif(sarif_result("SAME", "same.py", 1), sarif_result("LIKE", "like.py", 1)), checkout, source="nightly")
    row = upload(sarif(sarif_result("SAME", "same.py", 9), sarif_result("LIKE", "like.py", 1)), checkout, source="pull")
    assert (row.new, row.changed, row.unchanged) == (0, 1, 1)
    body = signed_in(alice).get(f"/imports/{row.pk}/?tab=changed").content.decode()
    assert ("SAME in " in body, "LIKE in " in body) == (True, False)
    assert "It closed nothing." in signed_in(alice).get(f"/imports/{row.pk}/?tab=closed").content.decode()
    imports.undo(row, user=ada)
    assert Finding.objects.get(rule="SAME").line == 1


def test_a_report_that_cannot_be_read_says_where_and_what_to_do(
    alice: User, checkout: Service, signed_in: SignedIn
) -> None:
    row = upload(b'{"version": "2.1.0", "runs": [{]}', checkout, user=alice)
    assert row.state == "failed"
    body = signed_in(alice).get(f"/imports/{row.pk}/").content.decode()
    assert row.error is not None
    assert row.error["remedy"] in body.replace("&#x27;", "'").replace("&quot;", '"')
    assert "Byte" in body or "Line" in body
    assert "Nothing of this file was applied." in body


def test_rejected_records_are_listed_with_place_and_reason(alice: User, checkout: Service, signed_in: SignedIn) -> None:
    row = upload(sarif(sarif_result(), {"ruleId": 7, "message": "not an object"}), checkout, user=alice)
    reject = ImportReject.objects.get(import_row=row)
    body = signed_in(alice).get(f"/imports/{row.pk}/?tab=rejected").content.decode()
    assert reject.pointer in body
    assert reject.pointer == "/runs/0/results/1"


def test_a_list_with_unknown_columns_is_asked_about_once_and_remembered(
    alice: User, checkout: Service, signed_in: SignedIn
) -> None:
    row = upload(REVIEW, checkout, user=alice, name="review.csv", format="findings-csv")
    assert row.error is not None
    assert row.error["code"] == "mapping_needed"
    client = signed_in(alice)
    assert "Say what its columns mean" in client.get(f"/imports/{row.pk}/").content.decode()
    form = client.get(f"/imports/{row.pk}/columns/").content.decode()
    assert "What is wrong</option>" in form
    missing = client.post(f"/imports/{row.pk}/columns/", {"severity": "Gravity"})
    assert missing.status_code == 422
    chosen = {"title": "What is wrong", "severity": "Gravity", "rule": "Number", "category": "=operations"}
    answer = client.post(f"/imports/{row.pk}/columns/", chosen)
    again = Import.objects.latest("id")
    assert answer.headers["Location"] == f"/imports/{again.pk}/"
    assert finished(again).state == "done", again.error
    found = Finding.objects.order_by("id").values_list("title", "severity", "category", "rule")
    assert list(found) == [
        ("Backups were never restored", "high", "operations", "1"),
        ("One token for all", "low", "operations", "2"),
    ]
    later = upload(REVIEW.replace(b"low", b"medium"), checkout, user=alice, name="later.csv", format="findings-csv")
    assert (later.state, later.changed) == ("done", 1)
    assert ColumnMapping.objects.get().created_by == alice
    assert AuditEvent.objects.filter(kind="column_mapping", actor=alice).exists()


def test_a_wrong_guess_of_the_columns_is_put_right_afterwards(
    alice: User, checkout: Service, signed_in: SignedIn
) -> None:
    content = b"title,severity,note\nThe cluster has one node,low,One node fails and all is down\n"
    row = upload(content, checkout, user=alice, name="list.csv")
    assert (row.state, row.format) == ("done", "findings-csv")
    client = signed_in(alice)
    client.post(f"/imports/{row.pk}/columns/", {"title": "title", "severity": "=critical", "message": "note"})
    again = finished(Import.objects.latest("id"))
    assert (again.state, again.changed) == ("done", 1)
    finding = Finding.objects.get()
    assert (finding.severity, finding.message) == ("critical", "One node fails and all is down")


def test_only_lists_have_columns(alice: User, checkout: Service, signed_in: SignedIn) -> None:
    row = upload(sarif(sarif_result()), checkout, user=alice)
    assert signed_in(alice).get(f"/imports/{row.pk}/columns/").status_code == 404


def test_the_last_import_of_a_scope_is_undone_with_a_reason_and_no_other(
    alice: User, checkout: Service, signed_in: SignedIn
) -> None:
    first = upload(sarif(sarif_result("R1", "a.py")), checkout, user=alice)
    second = upload(sarif(sarif_result("R2", "b.py")), checkout, user=alice)
    client = signed_in(alice)
    assert "Undo the import" not in client.get(f"/imports/{first.pk}/").content.decode()
    client.post(f"/imports/{first.pk}/undo/", {"reason": "no"})
    first.refresh_from_db()
    assert first.undone_at is None
    client.post(f"/imports/{second.pk}/undo/", {"reason": "Scanned the wrong branch"})
    second.refresh_from_db()
    assert second.undone_by == alice
    assert dict(Finding.objects.filter(withdrawn_by=None).values_list("rule", "status")) == {"R1": "new"}
    assert AuditEvent.objects.get(action="undone").reason == "Scanned the wrong branch"
    assert "Taken back" in client.get(f"/imports/{second.pk}/").content.decode()


def test_a_queued_import_is_cancelled_and_read_again_as_another(
    alice: User, checkout: Service, signed_in: SignedIn
) -> None:
    row = upload(sarif(sarif_result()), checkout, user=alice, run=False)
    client = signed_in(alice)
    client.post(f"/imports/{row.pk}/cancel/")
    assert finished(row).state == "cancelled"
    client.post(f"/imports/{row.pk}/again/")
    again = Import.objects.latest("id")
    assert again.pk != row.pk
    assert finished(again).new == 1


@pytest.mark.parametrize("action", ["cancel", "undo", "again", "columns"])
def test_a_viewer_changes_no_import_and_a_stranger_sees_none(
    vic: User, bob: User, alice: User, checkout: Service, signed_in: SignedIn, action: str
) -> None:
    row = upload(sarif(sarif_result()), checkout, user=alice)
    assert signed_in(vic).post(f"/imports/{row.pk}/{action}/").status_code == 403
    assert signed_in(bob).post(f"/imports/{row.pk}/{action}/").status_code == 404
    assert signed_in(bob).get(f"/imports/{row.pk}/").status_code == 404
    row.refresh_from_db()
    assert (row.state, row.undone_at) == ("done", None)


def test_the_list_filters_by_state_and_service_in_its_address(
    alice: User, checkout: Service, signed_in: SignedIn
) -> None:
    done = upload(sarif(sarif_result()), checkout, user=alice, name="fine.sarif")
    upload(b"nonsense", checkout, user=alice, name="broken.txt")
    body = signed_in(alice).get("/imports/?state=done&service=checkout").content.decode()
    assert done.file_name in body
    assert "broken.txt" not in body


@pytest.mark.parametrize("url", ["/imports/", "/imports/rows/"])
def test_the_list_takes_the_same_number_of_queries_however_long_it_is(
    alice: User, checkout: Service, signed_in: SignedIn, django_assert_num_queries: Any, url: str
) -> None:
    upload(sarif(sarif_result()), checkout, user=alice)
    client = signed_in(alice)
    with django_assert_num_queries(10, exact=False) as captured:
        client.get(url)
    few = len(captured)
    for number in range(5):
        upload(sarif(sarif_result(f"R{number}")), checkout, user=alice)
    with django_assert_num_queries(few):
        client.get(url)

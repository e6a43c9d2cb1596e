"""Configuration through the very path of an upload: findings with figures, and what was looked at."""

import gzip
import hashlib
import io
import re
import signal
import tarfile
import threading
import zipfile
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from findings import configuration
from findings.checks import engine
from findings.checks.registry import CHECKS
from findings.figures import laid_open
from findings.load import load_platform
from findings.models import Finding
from platform_risk.core.imports import runner
from platform_risk.core.imports import services as imports
from platform_risk.core.imports.loaders import ImportCancelledError
from platform_risk.core.models import Environment, Import, Service, User
from platform_risk.core.redaction import Redactor
from tests.factories import make_import, upload

pytestmark = pytest.mark.django_db

TOKEN = """apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  template:
    spec:
      containers:
        - name: api
          image: registry.example/api:1
          env:
            - {name: VAULT_TOKEN, valueFrom: {secretKeyRef: {name: vault, key: token}}}
"""
SECRET = "hvs." + "Ab1c" * 8
SCALER = """apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: api, namespace: shop}
spec:
  scaleTargetRef: {kind: Deployment, name: api}
  minReplicas: 3
  maxReplicas: 50
  behavior:
    scaleUp:
      policies: [{type: Percent, value: 100, periodSeconds: 30}]
"""


def zipped(**files: str | bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            # A day of its own: the clock would make the same files another archive.
            archive.writestr(zipfile.ZipInfo(".".join(name.replace("__", "/").rsplit("_", 1))), content)
    return packed.getvalue()


def tarred(**files: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(".".join(name.replace("__", "/").rsplit("_", 1)))
            info.size = len(content.encode())
            archive.addfile(info, io.BytesIO(content.encode()))
    return packed.getvalue()


def handed(content: bytes, service: Service, name: str = "platform.zip", **to: Any) -> Import:
    row = upload(content, service, name=name, kind="platform", **to)
    assert row.state == "done", row.error
    return row


def found(service: Service) -> dict[str, str]:
    return dict(Finding.objects.filter(service=service, withdrawn_by=None).values_list("check_id", "status"))


def figures(finding: Finding) -> dict[str, Any]:
    return {each["name"]: each["value"] for each in finding.quantities}


def checked(row: Import, check: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in row.coverage["checks"] if each["id"] == check)
    return found


# What is taken


@pytest.mark.parametrize(
    ("content", "name", "path"),
    [
        (zipped(k8s__api_yaml=TOKEN), "platform.zip", "k8s/api.yaml"),
        (tarred(k8s__api_yaml=TOKEN), "platform.tar", "k8s/api.yaml"),
        (gzip.compress(tarred(k8s__api_yaml=TOKEN)), "platform.tar.gz", "k8s/api.yaml"),
        (TOKEN.encode(), "api.yaml", "api.yaml"),
        (gzip.compress(TOKEN.encode()), "api.yaml.gz", "api.yaml"),
    ],
)
def test_an_archive_or_a_single_file_becomes_findings(checkout: Service, content: bytes, name: str, path: str) -> None:
    row = handed(content, checkout, name)
    finding = Finding.objects.get(check_id="secret-in-env")
    assert (finding.path, finding.line, finding.status) == (path, 11, "new")
    assert (row.format, row.source) == ("platform-files", "platform-risk")
    assert row.is_complete


def test_a_finding_has_all_that_the_check_says(checkout: Service) -> None:
    handed(zipped(api_yaml=TOKEN), checkout)
    finding = Finding.objects.get(check_id="secret-in-env")
    meta = CHECKS["secret-in-env"].meta
    assert (finding.rule, finding.scanners, finding.resource) == (meta.id, ["platform-risk"], "Secret/shop/vault")
    assert (finding.severity, finding.category, finding.lane) == ("critical", "security", "immediate")
    assert (finding.outcome, finding.namespace, finding.remedies) == ("breach", "shop", list(meta.remedies))
    assert figures(finding)["workloads_sharing_secret"] == 1
    assert finding.quantities[0]["inputs"][0]["path"] == "api.yaml"
    assert "VAULT_TOKEN" in finding.evidence["excerpt"]
    assert meta.remedy in finding.evidence["help"]
    assert finding.evidence["help_uri"] == meta.references[0]


# Life of a finding


def test_what_the_next_import_no_longer_shows_is_fixed_and_then_verified(checkout: Service) -> None:
    handed(zipped(api_yaml=TOKEN, hpa_yaml=SCALER), checkout)
    assert found(checkout)["autoscaling"] == "new"
    calm = SCALER.replace("maxReplicas: 50", "maxReplicas: 6")
    second = handed(zipped(api_yaml=TOKEN, hpa_yaml=calm), checkout)
    assert found(checkout)["autoscaling"] == "fixed"
    assert second.closed >= 1
    handed(zipped(api_yaml="# again\n" + TOKEN, hpa_yaml=calm), checkout)
    assert found(checkout) | {"autoscaling": "verified", "secret-in-env": "new"} == found(checkout)


def test_lines_that_move_and_figures_that_change_are_the_same_finding(checkout: Service) -> None:
    handed(zipped(hpa_yaml=SCALER), checkout)
    before = Finding.objects.get(check_id="autoscaling")
    row = handed(zipped(hpa_yaml="# more\n" + SCALER.replace("maxReplicas: 50", "maxReplicas: 64")), checkout)
    after = Finding.objects.get(check_id="autoscaling")
    assert (after.pk, after.line) == (before.pk, (before.line or 0) + 1)
    assert (figures(before)["replicas_max"], figures(after)["replicas_max"]) == (50, 64)
    assert row.changed >= 1


def status_by_file(service: Service, check: str = "autoscaling") -> dict[str, tuple[int, str]]:
    """File → (id, status) of what is not withdrawn."""
    rows = Finding.objects.filter(service=service, check_id=check, withdrawn_by=None)
    return {path: (number, status) for path, number, status in rows.values_list("path", "pk", "status")}


CALM = SCALER.replace("maxReplicas: 50", "maxReplicas: 6")


def test_when_one_of_two_environments_is_mended_its_own_finding_is_fixed_and_the_other_goes_on(
    checkout: Service,
) -> None:
    handed(zipped(prod__hpa_yaml=SCALER, staging__hpa_yaml=SCALER), checkout)
    before = status_by_file(checkout)
    assert set(before) == {"prod/hpa.yaml", "staging/hpa.yaml"}
    row = handed(zipped(prod__hpa_yaml=CALM, staging__hpa_yaml=SCALER), checkout)
    assert status_by_file(checkout) == {
        "prod/hpa.yaml": (before["prod/hpa.yaml"][0], "fixed"), "staging/hpa.yaml": before["staging/hpa.yaml"],
    }  # fmt: skip
    assert (row.new, row.reopened) == (0, 0)


def test_a_finding_goes_on_with_what_was_decided_when_an_environment_is_added_and_taken_away(
    checkout: Service, alice: User
) -> None:
    handed(zipped(prod__hpa_yaml=SCALER), checkout)
    Finding.objects.filter(check_id="autoscaling").update(status="accepted", decided_severity="high", owner=alice)
    accepted = status_by_file(checkout)["prod/hpa.yaml"]
    handed(zipped(prod__hpa_yaml=SCALER, staging__hpa_yaml=SCALER), checkout)
    both = status_by_file(checkout)
    assert both["prod/hpa.yaml"] == accepted
    assert both["staging/hpa.yaml"][1] == "new"
    handed(zipped(staging__hpa_yaml=SCALER), checkout)
    assert status_by_file(checkout) == both  # accepted survives, and staging's is still its own
    handed(zipped(prod__hpa_yaml=SCALER, staging__hpa_yaml=CALM), checkout)
    assert status_by_file(checkout) == both | {"staging/hpa.yaml": (both["staging/hpa.yaml"][0], "fixed")}


def test_a_finding_under_its_new_name_is_left_there_by_an_undo_and_found_again(checkout: Service, alice: User) -> None:
    handed(zipped(prod__hpa_yaml=SCALER), checkout)
    before = status_by_file(checkout)
    row = handed(zipped(prod__hpa_yaml=SCALER, staging__hpa_yaml=SCALER), checkout)
    imports.undo(row, user=alice)
    assert status_by_file(checkout) == before
    handed(zipped(prod__hpa_yaml="# again\n" + SCALER), checkout)
    assert status_by_file(checkout) == before


def test_undo_puts_the_figures_back(checkout: Service, alice: User) -> None:
    handed(zipped(hpa_yaml=SCALER), checkout)
    row = handed(zipped(hpa_yaml=SCALER.replace("maxReplicas: 50", "maxReplicas: 64")), checkout)
    imports.undo(row, user=alice)
    finding = Finding.objects.get(check_id="autoscaling")
    assert figures(finding)["replicas_max"] == 50
    assert finding.remedies == list(CHECKS["autoscaling"].meta.remedies)


def test_a_file_that_cannot_be_read_keeps_the_import_from_closing_anything(checkout: Service) -> None:
    handed(zipped(api_yaml=TOKEN, hpa_yaml=SCALER), checkout)
    row = handed(zipped(api_yaml=TOKEN, hpa_yaml="a: ["), checkout)
    assert not row.is_complete
    assert "hpa.yaml: not YAML" in row.incomplete_because
    assert found(checkout)["autoscaling"] == "new"


def test_one_file_of_several_closes_nothing_that_another_brought(checkout: Service) -> None:
    calm = SCALER.replace("maxReplicas: 50", "maxReplicas: 6")
    assert handed(SCALER.encode(), checkout, "hpa.yaml").is_complete
    assert handed(calm.encode(), checkout, "hpa.yaml").is_complete, "all that its scope has is this file"
    assert found(checkout) == {"autoscaling": "fixed"}
    handed(SCALER.encode(), checkout, "hpa.yaml")
    beside = handed(TOKEN.encode(), checkout, "api.yaml")
    assert not beside.is_complete
    assert "as one archive" in beside.incomplete_because
    assert found(checkout)["autoscaling"] == "new"
    assert not handed(calm.encode(), checkout, "hpa.yaml").is_complete, "it says nothing of the other"
    assert handed(zipped(hpa_yaml=calm), checkout).is_complete
    assert found(checkout) == {"autoscaling": "fixed", "secret-in-env": "fixed"}


def test_files_that_are_no_configuration_do_not_make_an_import_incomplete(checkout: Service) -> None:
    row = handed(
        zipped(api_yaml=TOKEN, README_md="# hello", chart__x_yaml="{{ if }}: [", logo_png=b"\x89PNG\x00"), checkout
    )
    assert row.is_complete
    reasons = {each["path"]: each["is_error"] for each in row.coverage["files"]["skipped"]}
    assert reasons == {"README.md": False, "chart/x.yaml": False, "logo.png": False}


def test_the_same_configuration_again_changes_nothing(checkout: Service) -> None:
    first = handed(zipped(api_yaml=TOKEN), checkout)
    again = handed(zipped(api_yaml=TOKEN), checkout)
    assert again.duplicate_of == first
    assert (again.new, again.changed, again.closed) == (0, 0, 0)


def test_the_same_configuration_is_applied_anew_when_it_says_something_else(
    checkout: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed(zipped(api_yaml=TOKEN, hpa_yaml=SCALER), checkout)
    monkeypatch.setattr("findings.configuration.__version__", "99.0")
    again = handed(zipped(api_yaml=TOKEN, hpa_yaml=SCALER), checkout)
    assert again.duplicate_of is None
    assert again.unchanged >= 2


def test_a_suppression_arrives_as_dismissed_with_its_reason_until_it_expires(checkout: Service) -> None:
    facts = "suppress: [{check: secret-in-env, reason: an hour, expires_on: 2999-01-01}]"
    row = handed(zipped(api_yaml=TOKEN, **{"platform-risk_yaml": facts}), checkout)
    finding = Finding.objects.get(check_id="secret-in-env")
    assert (finding.status, finding.status_comment) == ("dismissed", "an hour")
    assert checked(row, "secret-in-env")["suppressed"] == 1
    handed(zipped(api_yaml=TOKEN, **{"platform-risk_yaml": facts.replace("2999", "2020")}), checkout)
    finding.refresh_from_db()
    assert finding.status == "new"


# What was looked at


def test_the_coverage_tells_every_check_and_what_it_could_not_tell(checkout: Service) -> None:
    row = handed(zipped(api_yaml=TOKEN, hpa_yaml=SCALER), checkout)
    assert [each["id"] for each in row.coverage["checks"]] == list(CHECKS)
    token = checked(row, "secret-in-env")
    assert (token["failed"], token["unknown_count"]) == (1, 1)
    assert token["unknown"][0]["provide"].startswith("facts: secrets.vault.principals")
    assert checked(row, "kafka-durability")["looked_at"] == 0
    assert row.coverage["files"]["read"] == 2


def test_folders_that_are_not_read_are_told_once(checkout: Service) -> None:
    row = handed(zipped(api_yaml=TOKEN, node_modules__a_yaml=TOKEN, node_modules__b_yaml=TOKEN), checkout)
    assert [(each["path"], each["reason"]) for each in row.coverage["files"]["skipped"]] == [
        ("node_modules/", "dependencies")
    ]


def test_what_is_of_tests_is_told_and_not_judged(checkout: Service) -> None:
    row = handed(zipped(api_yaml=TOKEN, tests__fixtures__b_yaml=TOKEN), checkout)
    assert [(each["path"], each["reason"]) for each in row.coverage["files"]["skipped"]] == [
        ("tests/fixtures/b.yaml", "of an application's tests alone")
    ]


# What is refused


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (b"\x00\x01", "data.bin", "nothing_to_read"),
        (zipped(README_md="hello"), "platform.zip", "nothing_to_read"),
        (zipped(api_yaml="a: ["), "platform.zip", "nothing_to_read"),
        (b"PK\x03\x04 and nothing", "platform.zip", "broken_archive"),
        (b"\x1f\x8b\x08 and nothing", "platform.tar.gz", "broken_archive"),
        (tarred(api_yaml=TOKEN)[:700], "platform.tar", "broken_archive"),
    ],
)
def test_an_upload_without_configuration_fails_with_a_remedy_and_changes_nothing(
    checkout: Service, content: bytes, name: str, code: str
) -> None:
    handed(zipped(api_yaml=TOKEN), checkout)
    row = upload(content, checkout, name=name, kind="platform")
    assert row.state == "failed"
    assert row.error["code"] == code
    assert row.error["remedy"]
    assert found(checkout)["secret-in-env"] == "new"


def test_a_format_of_scan_reports_is_refused_for_configuration(checkout: Service) -> None:
    row = upload(zipped(api_yaml=TOKEN), checkout, name="platform.zip", kind="platform", format="sarif")
    assert row.error["code"] == "unknown_format"


@pytest.mark.parametrize("name", ["../api.yaml", "/api.yaml", "a/../../api.yaml"])
def test_an_entry_of_a_tar_that_leads_out_of_it_is_refused(checkout: Service, name: str) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        info = tarfile.TarInfo(name)
        info.size = len(TOKEN)
        archive.addfile(info, io.BytesIO(TOKEN.encode()))
    row = upload(packed.getvalue(), checkout, name="platform.tar", kind="platform")
    assert row.error["code"] == "bad_entry_name"


def test_a_link_in_a_tar_is_refused(checkout: Service) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        info = tarfile.TarInfo("api.yaml")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(info)
    row = upload(packed.getvalue(), checkout, name="platform.tar", kind="platform")
    assert row.error["code"] == "link_entry"


# Secrets and odd values


def test_a_secret_in_configuration_is_nowhere_in_what_is_stored(checkout: Service) -> None:
    env = f"VAULT_TOKEN={SECRET}\n"
    scaler = SCALER.replace("minReplicas: 3", f'minReplicas: "{SECRET}"')
    row = handed(zipped(app_env=env, hpa_yaml=scaler, **{f"{SECRET}/x_md": "hello"}), checkout)
    stored = str(list(Finding.objects.values())) + str(row.coverage) + row.format_reason
    assert "VAULT_TOKEN" in stored
    assert SECRET not in stored


@pytest.mark.parametrize("check", CHECKS)
def test_a_checks_own_words_are_not_taken_for_secrets(check: str) -> None:
    meta = CHECKS[check].meta
    words = (meta.title, meta.means, meta.why, meta.not_a_problem, meta.remedy, *meta.references)
    assert Redactor(b"salt").texts(*words) == words


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (2**70, None),
        (float("inf"), None),
        (float("nan"), None),
        ("a\x00b\ud800", "a\ufffdb\ufffd"),
        ((1, [True, None]), [1, [True, None]]),
        ({1: 2.5}, {"1": 2.5}),
    ],
)
def test_values_that_the_database_refuses_are_made_storable(value: Any, stored: Any) -> None:
    assert configuration.storable(value) == stored


# Pages and API


Api = Callable[..., Client]
SignedIn = Callable[[User], Client]


@pytest.fixture(autouse=True)
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform_risk.core.tasks.run_import.delay", lambda pk: None)


def test_the_api_takes_configuration_and_tells_its_coverage(api: Api, alice: User, checkout: Service) -> None:
    client = api(alice)
    file = SimpleUploadedFile("platform.zip", zipped(api_yaml=TOKEN))
    sent = client.post("/api/v1/imports/", {"file": file, "service": "checkout", "kind": "platform"})
    assert sent.status_code == 202
    assert (sent.json()["kind"], sent.json()["coverage"]) == ("platform", None)
    runner.run(int(sent.json()["id"]))
    shown = client.get(sent["Location"]).json()
    assert (shown["state"], shown["format"]) == ("done", "platform-files")
    checks = {each["id"]: each for each in shown["coverage"]["checks"]}
    assert checks["secret-in-env"]["failed"] == 1
    assert set(checks["secret-in-env"]["unknown"][0]) == {"subject", "reason", "provide", "path", "line"}
    listed = client.get("/api/v1/findings/?check=secret-in-env").json()["results"]
    assert [each["check"] for each in listed] == ["secret-in-env"]
    assert listed[0]["quantities"][0]["name"] == "workloads_sharing_secret"
    assert listed[0]["remedies"] == ["vault-agent-injection"]


def test_an_import_of_configuration_has_every_field_of_the_contract(api: Api, alice: User, checkout: Service) -> None:
    content = zipped(api_yaml=TOKEN, broken_yaml="a: [")
    row = handed(content, checkout)
    shown = api(alice).get(f"/api/v1/imports/{row.pk}/").json()
    names = (
        "id kind state format format_reason file_name size_bytes sha256 scope observed_at progress counts totals"
        " duplicate_of error created_at started_at finished_at coverage"
    )
    assert set(names.split()) <= set(shown)
    assert (shown["id"], shown["kind"], shown["state"], shown["format"]) == (
        str(row.pk), "platform", "done", "platform-files",
    )  # fmt: skip
    assert (shown["file_name"], shown["size_bytes"]) == ("platform.zip", len(content))
    assert shown["sha256"] == hashlib.sha256(content).hexdigest()
    assert shown["format_reason"]
    assert shown["progress"]["bytes"] == shown["progress"]["bytes_total"] > 0
    counts = shown["counts"]
    assert set(counts) >= {"read", "collapsed", "new", "changed", "unchanged", "closed", "reopened", "rejected"}
    assert counts["read"] == sum(
        counts[each] for each in ("collapsed", "new", "changed", "unchanged", "rejected", "reopened")
    )
    assert counts["new"] == Finding.objects.filter(service=checkout).count() > 0
    assert shown["scope"]["service"] == "checkout"
    assert (shown["duplicate_of"], shown["error"]) == (None, None)
    for moment in ("created_at", "started_at", "finished_at", "observed_at"):
        assert shown[moment] is None or shown[moment].endswith("Z")
    assert shown["created_at"] <= shown["started_at"] <= shown["finished_at"]


def test_the_page_of_the_import_shows_what_cannot_be_told_beside_what_failed(
    signed_in: SignedIn, alice: User, checkout: Service
) -> None:
    row = handed(zipped(api_yaml=TOKEN, broken_yaml="a: ["), checkout)
    page = signed_in(alice).get(f"/imports/{row.pk}/").content.decode()
    assert "What was looked at" in page
    assert "facts: secrets.vault.principals" in page
    assert "nothing of its kind in these files" in page
    assert "broken.yaml:2" in page


def test_what_failed_is_told_first_and_what_was_not_looked_at_last(
    signed_in: SignedIn, alice: User, checkout: Service
) -> None:
    production = Environment.objects.create(slug="production", name="Production")
    row = handed(zipped(api_yaml=TOKEN), checkout, environment=production)
    response = signed_in(alice).get(f"/imports/{row.pk}/")
    looked_at = response.context["looked_at"]
    failed = [check["id"] for check in looked_at.checks if check["failed"]]
    idle = [check["id"] for check in looked_at.checks if not check["looked_at"]]
    told = [check["id"] for check in looked_at.checks]
    assert (told[: len(failed)], told[-len(idle) :]) == (failed, idle)
    assert sum(count for count, _ in looked_at.counts) == len(told) == len(CHECKS)
    assert f"{len(failed)} failed" in response.content.decode()
    assert f"{len(idle)} found nothing of their kind" in response.content.decode()
    link = re.search(r'href="(/findings/[^"]*check%3Asecret-in-env[^"]*)"', response.content.decode())
    assert link is not None
    assert "environment%3Aproduction" in link[1]
    assert signed_in(alice).get(unescape(link[1])).context["count"] == 1


def test_a_scan_report_has_no_coverage_to_show(signed_in: SignedIn, alice: User, checkout: Service) -> None:
    row = make_import(checkout)
    assert row.coverage is None
    assert "What was looked at" not in signed_in(alice).get(f"/imports/{row.pk}/").content.decode()


def test_the_page_of_a_finding_lays_its_arithmetic_open(signed_in: SignedIn, alice: User, checkout: Service) -> None:
    handed(zipped(hpa_yaml=SCALER), checkout)
    finding = Finding.objects.get(check_id="autoscaling")
    page = signed_in(alice).get(f"/findings/{finding.pk}/").content.decode()
    assert "Seconds to max" in page
    assert "steps × period + stabilization window" in page
    assert "hpa.yaml:7" in page
    assert "0 → 3" in page


def test_figures_are_told_in_words(checkout: Service) -> None:
    handed(zipped(hpa_yaml=SCALER), checkout)
    finding = Finding.objects.get(check_id="autoscaling")
    finding.quantities = [
        {"name": "deadlock", "value": 1, "unit": "0 or 1"},
        {"name": "exposure_seconds", "value": None, "unit": "s"},
        {"name": "addresses_reachable", "value": 4294967296, "unit": "addresses"},
        {"name": "share", "value": 6.9444, "unit": "%"},
    ]
    assert [each.value for each in laid_open(finding.quantities)] == [
        "yes", "without a bound", "4,294,967,296 addresses", "6.9444 %",
    ]  # fmt: skip


def test_configuration_is_handed_in_on_the_page_by_choosing_its_kind(
    signed_in: SignedIn, alice: User, checkout: Service
) -> None:
    file = SimpleUploadedFile("platform.zip", zipped(api_yaml=TOKEN))
    answer = signed_in(alice).post("/imports/", {"service": "checkout", "kind": "platform", "file": file})
    assert answer.status_code == 302
    assert Import.objects.get().kind == "platform"


def test_several_files_of_configuration_at_once_are_one_import_since_each_would_replace_the_last(
    signed_in: SignedIn, alice: User, checkout: Service
) -> None:
    files = [SimpleUploadedFile(f"{name}.yaml", TOKEN.encode()) for name in "ab"]
    answer = signed_in(alice).post("/imports/", {"service": "checkout", "kind": "platform", "file": files})
    assert answer.status_code == 302
    assert Import.objects.get().file_name == "2 files.zip"


def test_a_single_file_that_is_broken_is_told_with_its_line(checkout: Service) -> None:
    row = upload(b"kind: Deployment\na: [1\nb: 2\n", checkout, name="api.yaml", kind="platform")
    assert row.state == "failed"
    assert row.error["location"]["line"] in (2, 3)
    assert row.error["location"]["entry"] == "api.yaml"
    assert "api.yaml: " in row.error["message"]


# What an upload may ask of the worker


def test_more_text_than_is_held_at_once_keeps_the_import_from_closing_anything(
    checkout: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed(zipped(a_yaml=TOKEN, b_yaml=SCALER), checkout)
    before = found(checkout)
    monkeypatch.setattr(configuration, "MOST_TEXT", len(TOKEN))
    row = handed(zipped(a_yaml=TOKEN, b_yaml=SCALER, picture_png=b"\x89PNG" * 1_000), checkout)
    assert "b.yaml: with it there are more than" in row.incomplete_because
    assert found(checkout) == before
    skipped = {each["path"]: each for each in row.coverage["files"]["skipped"]}
    assert skipped["picture.png"]["reason"] == "no kind of file that is read here"  # and was not taken into memory
    assert skipped["b.yaml"]["is_error"]


def test_what_many_files_could_not_be_read_for_is_told_once(checkout: Service) -> None:
    broken = {f"{number}_yaml": "a: [" for number in "12345"}
    row = handed(zipped(a_yaml=TOKEN, b_yaml="a: 1\na: 2\n", **broken), checkout)
    assert row.incomplete_because.split("; ") == [
        "b.yaml: the key a stands twice, first on line 1",
        "1.yaml, 2.yaml, 3.yaml and 2 more: not YAML: did not find expected node content",
    ]


def test_judging_that_does_not_end_is_given_up_and_the_next_import_is_done(
    checkout: Service, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    def for_ever(*_: Any, **__: Any) -> None:
        while True:
            pass

    settings.IMPORT_THINKING_SECONDS = 0.05
    monkeypatch.setattr(runner, "_ASKED_EVERY", 0.01)
    with monkeypatch.context() as patched:
        patched.setattr(engine, "run", for_ever)
        row = upload(zipped(a_yaml=TOKEN), checkout, name="platform.zip", kind="platform")
    assert (row.state, row.error["code"]) == ("failed", "too_long")
    assert row.error["remedy"].startswith("Hand in fewer files at a time")
    assert found(checkout) == {}
    settings.IMPORT_THINKING_SECONDS = 60
    handed(zipped(a_yaml=TOKEN), checkout)
    assert "secret-in-env" in found(checkout)


def test_an_import_is_cancelled_while_it_is_judged(
    checkout: Service, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = upload(zipped(a_yaml=TOKEN), checkout, name="platform.zip", kind="platform", run=False)
    monkeypatch.setattr(runner, "_ASKED_EVERY", 0.01)

    def cancelled_meanwhile(*_: Any, **__: Any) -> None:
        imports.cancel(Import.objects.get(pk=row.pk), user=alice)
        job.beat()  # as its heartbeat does, which learns of it
        while True:
            pass

    monkeypatch.setattr(engine, "run", cancelled_meanwhile)
    claimed = runner.claim(row.pk)
    assert claimed is not None
    job = runner.Job(claimed)
    with pytest.raises(ImportCancelledError):
        load_platform(job)
    assert found(checkout) == {}


def test_outside_of_the_main_thread_nothing_is_interrupted(checkout: Service) -> None:
    job = runner.Job(upload(zipped(a_yaml=TOKEN), checkout, name="platform.zip", kind="platform", run=False))
    passed: list[bool] = []

    def work() -> None:
        with job.interruptible(0):
            passed.append(signal.getitimer(signal.ITIMER_REAL)[0] == 0)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert passed == [True]

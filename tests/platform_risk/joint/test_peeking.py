"""What an upload is whose kind nobody stated."""

import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from platform_risk.core.models import Service, User
from platform_risk.joint import peeking, receiving
from tests.factories import sarif, sarif_result

SAMPLES = Path(__file__).parents[2] / "samples"
TSDB = (
    b'{"status":"success","data":{"headStats":{"numSeries":508,"numLabelPairs":3,"chunkCount":9,"minTime":1,'
    b'"maxTime":2},"seriesCountByMetricName":[],"labelValueCountByLabelName":[],"memoryInBytesByLabelName":[],'
    b'"seriesCountByLabelValuePair":[]}}'
)


def zipped(*names: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return packed.getvalue()


def tarred(*names: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = 1
            archive.addfile(info, io.BytesIO(b"x"))
    return packed.getvalue()


CASES = [
    ("report.sarif", sarif(sarif_result()), "scan"),
    ("checkov.json", b"{}", "scan"),
    ("review.csv", b"title,severity\nx,high\n", "scan"),
    ("api.yaml", b"kind: Deployment\n", "platform"),
    ("main.tf", b"", "platform"),
    ("Dockerfile", b"FROM x\n", "platform"),
    ("platform.zip", zipped("k8s/api.yaml", "README.md"), "platform"),
    ("platform.tar.gz", tarred("k8s/api.yaml", "values.json"), "platform"),
    ("reports.zip", zipped("a.sarif", "config.yaml"), "scan"),
    ("reports.tgz", tarred("a.json"), "scan"),
    ("broken.zip", b"PK\x03\x04 no more", "scan"),
    ("broken.tar.gz", b"\x1f\x8b\x08\x00 no more", "scan"),
    ("tsdb.json", TSDB, "usage"),
    ("powershell.json", TSDB.decode().encode("utf-16"), "usage"),
    # One framework's run is an object with results, as New Relic's answer is.
    ("results_json.json", b'{"check_type": "terraform", "results": {"failed_checks": []}, "summary": {}}', "scan"),
    ("semgrep.json", b'{"results": [{"check_id": "x", "path": "a.py"}], "errors": []}', "scan"),
    ("nrql.json", b'{"results": [{"sum.GigabytesIngested": 3.5, "beginTimeSeconds": 1767225600}]}', "usage"),
    (
        "pods.json",
        b'{"apiVersion": "v1", "items": [{"kind": "Pod", "metadata": {"name": "a"}}], "kind": "List"}',
        "usage",
    ),
    (
        "all.json",
        b'{"apiVersion": "v1", "items": [{"kind": "Deployment"}, {"kind": "Pod"}], "kind": "List"}',
        "platform",
    ),
    ("api.json", b'{"apiVersion": "apps/v1", "kind": "Deployment"}', "platform"),
    ("plan.json", b'{"format_version": "1.2", "terraform_version": "1.9.0", "planned_values": {}}', "platform"),
    ("package.json", b'{"name": "shop", "overrides": {"left-pad": "1.3.0"}}', "scan"),
    ("iam.json", b'{"reader": {"policy": {"Version": "2012-10-17"}}}', "scan"),
    ("tempo.yaml", b"compactor: {compaction: {block_retention: 48h}}\n", "platform"),
    ("loki.yaml", b"compactor: {retention_enabled: true}\n", "usage"),
    ("broken.yaml", b"compactor:\n  retention_enabled: true\n limits: {\n", "usage"),
    ("cut.json", TSDB[:60], "usage"),
    ("ilm.json", b'{"logs": {"version": 1, "policy": {"phases": {"hot": {', "usage"),
    ("mimirtool.json", b'{"total_active_series": 5, "in_use', "usage"),
    ("cut-pods.json", b'{"apiVersion": "v1", "items": [{"apiVersion": "v1", "kind": "Pod", "metadata": {"na', "usage"),
    ("cut-list.json", b'{"kind": "PodList", "apiVersion": "v1", "items": [{"metadata": {"name": "a"', "usage"),
    ("cut-all.json", b'{"apiVersion": "v1", "items": [{"apiVersion": "v1", "kind": "Service", "met', "platform"),
    ("objects.json", b'{"apiVersion": "v1", "kind": "List", "items": [{"data": {"resultType": 1', "platform"),
    ("broken-app.yaml", b"overrides:\n  shop: {\n", "platform"),
]


@pytest.mark.parametrize(("name", "content", "kind"), CASES, ids=[name for name, _, _ in CASES])
def test_it_is_what_it_holds(name: str, content: bytes, kind: str) -> None:
    upload = SimpleUploadedFile(name, content)
    assert receiving.kind_of(upload, {"service": "shop"}) == kind
    assert upload.read() == content


@pytest.mark.parametrize(
    ("sample", "kind"),
    [
        ("bills/focus/many.csv", "bill"),
        ("bills/opencost/allocation.json", "bill"),
        ("scans/checkov/object.json", "scan"),
        ("scans/sarif/bandit.sarif", "scan"),
        ("scans/findings-csv/review.csv", "scan"),
        ("scans/findings-json/list.json", "scan"),
    ],
)
def test_without_a_service_bills_and_reports_are_told_apart(sample: str, kind: str) -> None:
    upload = SimpleUploadedFile("upload", (SAMPLES / sample).read_bytes())
    assert receiving.kind_of(upload, {}) == kind
    assert receiving.kind_of(upload, {"service": "shop"}) == "scan"


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf", b"\x00", b"\r"])
def test_what_is_as_good_as_empty_is_no_bill(content: bytes) -> None:
    assert receiving.kind_of(SimpleUploadedFile("bill.csv", content), {}) == "scan"


def test_a_tar_is_not_unpacked_to_be_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peeking, "_MOST_BYTES", 3)
    packed = io.BytesIO(tarred(*(f"{number}.txt" for number in range(9)), "late.yaml"))
    assert not peeking.is_configuration(packed, "a.tar.gz")
    assert packed.tell() == 0


@pytest.mark.django_db
def test_a_stated_format_says_the_kind(api: Callable[..., Client], alice: User, checkout: Service) -> None:
    client: Any = api(alice)
    body = {"service": "checkout", "format": "platform-files", "file": SimpleUploadedFile("a.json", b"{}")}
    assert client.post("/api/v1/imports/", body).json()["kind"] == "platform"
    body = {"service": "checkout", "file": SimpleUploadedFile("tsdb.json", TSDB)}
    assert client.post("/api/v1/imports/", body).json()["kind"] == "usage"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("content", "pointer", "said"),
    [
        (TSDB[:60], "/file", "By how it begins it is usage (Prometheus, status/tsdb)."),
        (b"compactor:\n  retention_enabled: true\n x: {\n", "/file", "a.json: This is no YAML at line 3"),
        ('{"runs": [1]}'.encode("utf-16"), "/file", "a.json: The file is UTF-16."),
        ("when;what;how much\n1;2;3\n".encode("utf-16")[:-1], "/file", "ends within a character: it was cut off"),
        ("when;what;how much\n1;2;3\n".encode("utf-16"), "/service", "or name the format"),
        (b'{"apiVersion": "v1", "items": [{"kind": "Pod", "metadata": {"name": "a', "/file", "ends in the middle"),
        (b"[]", "/file", "an empty list"),
        (b'{"what": "is this"}', "/service", "or name the format"),
        (sarif(sarif_result()), "/service", "Name the service."),
    ],
)
def test_what_cannot_be_told_is_refused_for_what_is_wrong_with_it(
    api: Callable[..., Client], mary: User, content: bytes, pointer: str, said: str
) -> None:
    client: Any = api(mary)
    answer = client.post("/api/v1/imports/", {"file": SimpleUploadedFile("a.json", content)})
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert error["pointer"] == pointer
    assert said in error["detail"]

"""Planted secrets: none of them is found in the database, in logs or in what the API answers. What stands near stays.

The uploaded file itself is kept as it came, behind the storage's own access; this is about everything read out of it.
"""

import csv
import io
import json
import logging
import zipfile
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any

import pytest
from django.test import Client

from findings.models import Finding
from platform_risk.core.models import Import, Service, User
from tests.database import everything
from tests.factories import sarif_result, upload
from tests.secrets_planted import planted

pytestmark = pytest.mark.django_db

_PLANTED = planted()
_SECRETS = [secret for secret, _ in _PLANTED.values()]
_TEXTS = [text for _, text in _PLANTED.values()]


def _left_in(haystack: str) -> list[str]:
    """Names of the secrets of which a recognisable part is there. JSON writes some characters in another way."""
    return [
        name
        for name, (secret, _) in _PLANTED.items()
        if secret[:14] in haystack or secret[-14:] in haystack or json.dumps(secret)[1:15] in haystack
    ]


def _place(text: str, line: int) -> dict[str, Any]:
    region = {"startLine": line, "snippet": {"text": f"near_before()\n{text}\nnear_after()"}}
    return {
        "physicalLocation": {"artifactLocation": {"uri": f"config/{line}.env"}, "region": region},
        "logicalLocations": [{"fullyQualifiedName": text}, {"name": text, "kind": "resource"}],
        "message": {"text": text},
    }


def _as_sarif() -> bytes:
    """Each secret in every text that a result and its rule have."""
    results, rules = [], []
    for line, text in enumerate(_TEXTS, start=1):
        rule = {
            "id": f"LEAK{line}",
            "name": text,
            "shortDescription": {"text": f"Short {text}"},
            "help": {"text": f"Help {text}"},
            "helpUri": f"https://example.com/?token={_SECRETS[line - 1]}",
            "properties": {"tags": [text]},
        }
        rules.append(rule)
        results.append(
            sarif_result(f"LEAK{line}", text=f"Near before. {text} Near after.")
            | {"locations": [_place(text, line)], "relatedLocations": [_place(text, line)]}
            | {"suppressions": [{"kind": "inSource", "justification": text}] if line % 2 else []}
            | {"properties": {"tags": [text]}}
        )
        results.append(sarif_result(text, path=f"a/{text}", text=text, code=text))
        results.append({"ruleId": text, "message": {"text": 7}, "properties": {"x": text}})  # rejected
    why = {"executionSuccessful": False, "exitCodeDescription": " ".join(_TEXTS[:8])}
    run = {"tool": {"driver": {"name": "Leaky", "rules": rules}}, "results": results, "invocations": [why]}
    return json.dumps({"version": "2.1.0", "runs": [run]}).encode()


def _as_checkov() -> bytes:
    checks = [
        {
            "check_id": f"CKV_SECRET_{line}",
            "check_name": f"Name {text}",
            "check_result": {"suppress_comment": text},
            "code_block": [[line, f"near_before: 1\n{text}\n"]],
            "repo_file_path": f"/k8s/{text}.yaml",
            "file_line_range": [line, line],
            "resource": f"Secret.default.{text}",
            "vulnerability_details": {"package_name": text, "package_version": text, "description": text},
        }
        for line, text in enumerate(_TEXTS, start=1)
    ]
    broken = [check | {"severity": 7} for check in checks]
    results = {"failed_checks": checks + broken, "skipped_checks": [c | {"check_id": "CKV_K8S_1"} for c in checks]}
    return json.dumps({"check_type": "kubernetes", "results": results}).encode()


_COLUMNS = (
    "title", "severity", "description", "path", "rule", "resource", "namespace", "image", "package", "version",
    "endpoint", "cve", "recommendation", "link", "tags", "reason", "snippet", "tool", "category", "line", "status",
)  # fmt: skip


def _as_rows() -> list[dict[str, str]]:
    rows = [
        dict.fromkeys(_COLUMNS, text) | {"severity": "high", "title": f"Row {line} {text}", "status": "ignored"}
        for line, text in enumerate(_TEXTS, start=1)
    ]
    return rows + [dict.fromkeys(_COLUMNS, text) | {"title": ""} for text in _TEXTS]  # rejected


def _as_csv() -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, _COLUMNS)
    writer.writeheader()
    writer.writerows(_as_rows())
    return out.getvalue().encode()


def _as_headers() -> bytes:
    """A table that was saved without its line of headers: the first line's cells are in the error."""
    out = io.StringIO()
    csv.writer(out).writerow(["severity", *_TEXTS])
    return out.getvalue().encode()


def _as_archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for text in _TEXTS:
            archive.writestr(f"{text.replace('//', '').replace('..', '')[:200]}.sarif", b"{oops")
    return out.getvalue()


_REPORTS: dict[str, tuple[Callable[[], bytes], str]] = {
    "sarif": (_as_sarif, "done"),
    "checkov": (_as_checkov, "done"),
    "csv": (_as_csv, "done"),
    "json": (lambda: json.dumps(_as_rows()).encode(), "done"),
    "headers": (_as_headers, "failed"),
    "archive": (_as_archive, "failed"),
    "cut off": (lambda: _as_sarif()[:-5], "failed"),
}


@pytest.fixture(params=_REPORTS)
def leaky(request: pytest.FixtureRequest, checkout: Service, caplog: pytest.LogCaptureFixture) -> Import:
    make, state = _REPORTS[request.param]
    with caplog.at_level(logging.DEBUG):
        row = upload(make(), checkout, complete="auto")
    assert row.state == state, row.error
    return row


def test_the_planted_secrets_are_enough_and_are_found_where_nothing_removes_them() -> None:
    assert len(_PLANTED) >= 20
    assert len(_left_in(_as_sarif().decode())) == len(_PLANTED)
    assert len(_left_in("\n".join(_TEXTS))) == len(_PLANTED)


def test_none_is_stored_logged_answered_or_shown(
    leaky: Import,
    mary: User,
    api: Callable[..., Client],
    signed_in: Callable[[User], Client],
    caplog: pytest.LogCaptureFixture,
) -> None:
    stored = everything()
    assert len(stored["core_import"]) == 1
    assert {table: left for table, rows in stored.items() if (left := _left_in("\n".join(rows)))} == {}
    assert _left_in(caplog.text) == []
    some = list(Finding.objects.order_by("id").values_list("id", flat=True)[:: max(1, Finding.objects.count() // 12)])
    assert _left_in("\n".join(_answers(api(mary), leaky, some))) == []
    assert _left_in("\n".join(_shown(signed_in(mary), leaky, some))) == []


def _answers(client: Client, leaky: Import, some: list[int]) -> Iterator[str]:
    """What the API says of the import and of some of its findings."""
    yield from _pages(client, "/api/v1/findings/?page_size=500")
    yield from _pages(client, f"/api/v1/imports/{leaky.pk}/rejects/")
    paths = [f"/api/v1/imports/{leaky.pk}/", "/api/v1/imports/"]
    for number in some:
        paths += [f"/api/v1/findings/{number}/", f"/api/v1/findings/{number}/history/"]
    paths += [f"/api/v1/findings/?format={name}" for name in ("csv", "jsonl")]
    for path in paths:
        response = client.get(path)
        assert response.status_code == 200, path
        content = b"".join(response) if response.streaming else response.content
        yield content.decode()


def _pages(client: Client, path: str) -> Iterator[str]:
    url: str | None = path
    while url:
        response = client.get(url)
        assert response.status_code == 200, url
        yield response.content.decode()
        url = response.json()["next"]


def _shown(client: Client, leaky: Import, some: list[int]) -> Iterator[str]:
    paths = [f"/findings/{number}/" for number in some]
    paths += ["/", "/findings/", "/findings/?view=flat", "/imports/", f"/imports/{leaky.pk}/?tab=new",
              f"/imports/{leaky.pk}/?tab=rejected", "/services/checkout/"]  # fmt: skip
    for path in paths:
        answer = client.get(path)
        assert answer.status_code == 200, path
        yield unescape(answer.content.decode())


def test_what_stands_near_a_secret_stays_and_the_same_one_is_recognised(checkout: Service) -> None:
    upload(_as_sarif(), checkout)
    findings = Finding.objects.filter(rule__startswith="LEAK")
    assert findings.count() == len(_PLANTED)
    for finding in findings:
        assert finding.message.startswith("Near before.")
        assert finding.message.endswith("Near after.")
        assert finding.evidence["excerpt"].startswith("near_before()\n")
        assert finding.evidence["excerpt"].endswith("\nnear_after()")
        assert "[redacted " in finding.message
    text = Finding.objects.get(rule="LEAK1").message
    mark = text[text.index("[redacted") : text.index("]") + 1]
    assert mark in Finding.objects.get(rule="LEAK1").evidence["excerpt"]


def test_a_report_with_secrets_imported_again_changes_nothing(checkout: Service) -> None:
    first = upload(_as_sarif(), checkout)
    again = upload(_as_sarif(), checkout, replay=True)
    assert again.unchanged == first.new > 0
    assert (again.new, again.changed) == (0, 0)

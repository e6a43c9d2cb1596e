"""Bad input through the very path of an upload: failed or rejected with place and remedy, nothing changed, and the
worker goes on."""

import gzip
import io
import json
import stat
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from findings.models import Finding
from findings.scans import bounds
from platform_risk.core.errors import Refused
from platform_risk.core.imports.services import TooLarge
from platform_risk.core.models import Import, Service
from tests.database import applied
from tests.factories import sarif, sarif_result, upload

pytestmark = pytest.mark.django_db

_MEBI = 1024 * 1024
_GOOD = sarif(sarif_result("R1", "a.py", 3), sarif_result("R2", "b.py", 5))


def _zip(*entries: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return out.getvalue()


def _link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


_BIG = b"9" * 2_000_000
# name → the file, the error's code, and what its place names
_FAIL: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "blank": (lambda: b" \n", "unknown_format", "byte"),
    "not JSON": (lambda: b"{oops", "not_json", "byte"),
    "unknown shape": (lambda: b'{"hello": "world"}', "unknown_format", "byte"),
    "a page": (lambda: b"<html>Sign in</html>", "web_page", "byte"),
    "cut off": (lambda: _GOOD[:-20], "not_json", "column"),
    "nested": (lambda: b'{"version": "2.1.0", "runs": ' + b"[" * 100_000, "too_deep", "byte"),
    "NUL": (lambda: b"\x00" * 100, "zero_bytes", "byte"),
    "NUL in JSON": (lambda: _GOOD.replace(b"R1", b"R\x001"), "not_json", "line"),
    "a lone surrogate": (lambda: _GOOD.replace(b"a.py", b"\\ud800.py"), "not_json", "line"),
    "NaN": (lambda: b'{"version": "2.1.0", "runs": [], "x": NaN}', "not_json", "column"),
    "1e999": (
        lambda: b'{"version": "2.1.0", "runs": [{"tool": {"driver": {"rules": [{"properties": {"a": 1e999}}]}}}]}',
        "wrong_shape",
        "pointer",
    ),
    "another version": (
        lambda: b'{"version": "1.0.0", "runs": [{"tool": {"driver": {}}}]}',
        "unsupported_version",
        "pointer",
    ),
    "a table without a title": (lambda: b"severity,rule,path\nhigh,R1,a.py\n", "mapping_needed", "headers"),
    "a quote that never closes": (lambda: b'title,severity\na,low\n"b,low\nc,low\n', "not_csv", "line"),
    "UTF-16 without a mark": (lambda: "title,severity\na,low\n".encode("utf-16-le"), "wrong_encoding", "byte"),
    "a gzip bomb": (lambda: gzip.compress(b"\x00" * (30 * _MEBI)), "bomb", "entry"),
    "a zip bomb": (lambda: _zip(("zeros.json", b"\x00" * (30 * _MEBI))), "bomb", "entry"),
    "a bzip2 bomb": (lambda: _zip(("z", b"\x00" * _MEBI), method=zipfile.ZIP_BZIP2), "unknown_method", "entry"),
    "too many entries": (lambda: _zip(*((str(number), b"") for number in range(5001))), "too_many_entries", "entry"),
    "archives in archives": (lambda: _zip(("a.zip", _zip(("b.zip", _zip(("c", _GOOD)))))), "too_deep", "entry"),
    "a relative entry": (lambda: _zip(("../../report.sarif", _GOOD)), "bad_entry_name", "entry"),
    "an absolute entry": (lambda: _zip(("/etc/report.sarif", _GOOD)), "bad_entry_name", "entry"),
    "a link": (lambda: _zip((_link("report.sarif"), b"/etc/passwd")), "link_entry", "entry"),
    "an archive of nothing": (lambda: _zip(), "empty_archive", ""),
    "a broken zip": (lambda: _zip(("a", _GOOD))[:-30], "broken_archive", "entry"),
    "a broken gzip": (lambda: gzip.compress(_GOOD)[:-9], "broken_archive", "entry"),
    "one bad report among good ones": (lambda: _zip(("a", _GOOD), ("b", b"{oops")), "not_json", "entry"),
    "one bad table among good ones": (
        lambda: _zip(("a", b"title,severity\na,low\n"), ("b", b'title,severity\n"b,low\n')),
        "not_csv",
        "entry",
    ),
}  # fmt: skip


def _goes_on(service: Service) -> None:
    row = upload(sarif(sarif_result("R9", "z.py")), service, source="afterwards")
    assert row.state == "done", row.error
    assert row.new == 1


@pytest.mark.parametrize("name", _FAIL)
def test_a_file_that_cannot_be_used_fails_with_place_and_remedy_and_changes_nothing(
    name: str, checkout: Service
) -> None:
    make, code, place = _FAIL[name]
    upload(_GOOD, checkout)
    before = applied()
    row = upload(make(), checkout)
    assert row.state == "failed"
    assert row.error["code"] == code
    assert row.error["message"]
    assert row.error["remedy"]
    assert place in row.error["location"] or not place
    assert row.finished_at is not None
    assert not row.is_applied
    # A scope may have been named; none of its content is there.
    after = applied()
    assert {t: rows for t, rows in after.items() if rows != before[t]}.keys() <= {"core_scope", "core_target"}
    _goes_on(checkout)


def test_an_empty_file_is_refused_before_there_is_an_import(checkout: Service) -> None:
    with pytest.raises(Refused, match="empty"):
        upload(b"", checkout)
    assert not Import.objects.exists()


def test_a_file_over_the_limit_is_refused_before_there_is_an_import(checkout: Service, settings: Any) -> None:
    settings.IMPORT_LIMITS = {**settings.IMPORT_LIMITS, "scan": {**settings.IMPORT_LIMITS["scan"], "stored_bytes": 100}}
    with pytest.raises(TooLarge):
        upload(b"x" * 101, checkout)
    assert not Import.objects.exists()


def test_a_guessed_encoding_is_said_with_the_reason(checkout: Service) -> None:
    row = upload("title,severity\nstraße,low\n".encode("cp1252"), checkout)
    assert row.state == "done"
    assert "Windows-1252" in row.format_reason


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({"ruleId": "R7", "message": {"text": 7}}, "at /message/text"),
        ({"message": {"text": ""}}, "neither a rule nor a message"),
        (7, "object"),
    ],
)
def test_a_record_that_cannot_be_used_is_rejected_with_its_place_and_the_rest_goes_in(
    bad: Any, reason: str, checkout: Service
) -> None:
    results = [sarif_result("R1", "a.py"), bad, sarif_result("R2", "b.py")]
    data = json.dumps({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "Probe"}}, "results": results}]})
    row = upload(data.encode(), checkout)
    assert row.state == "done", row.error
    assert (row.read, row.new, row.rejected) == (3, 2, 1)
    reject = row.rejects.get()
    assert reject.pointer == "/runs/0/results/1"
    assert reason in reject.reason


def test_a_number_of_two_million_digits_rejects_its_record(checkout: Service) -> None:
    row = upload(_GOOD.replace(b'"startLine": 3', b'"startLine": ' + _BIG), checkout)
    assert (row.state, row.new, row.rejected) == ("done", 1, 1)
    assert len(row.rejects.get().excerpt) <= 1000
    _goes_on(checkout)


def test_a_message_of_ten_megabytes_goes_in_cut(checkout: Service) -> None:
    row = upload(sarif(sarif_result(text="word " * 2_000_000)), checkout)
    assert row.state == "done", row.error
    finding = Finding.objects.get()
    assert len(finding.message) <= bounds.MESSAGE
    assert "characters cut)" in finding.message


def test_five_megabytes_on_one_line_go_in(checkout: Service) -> None:
    row = upload(sarif(*(sarif_result(line=line) for line in range(1, 20_001))), checkout)
    assert row.size_bytes > 4_000_000
    assert (row.state, row.new) == ("done", 20_000)


def test_a_hundred_thousand_locations_go_in_bounded(checkout: Service) -> None:
    one = sarif_result()
    one["locations"] *= 100_000
    one["relatedLocations"] = [place | {"message": {"text": "see"}} for place in one["locations"]]
    row = upload(sarif(one), checkout)
    assert row.state == "done", row.error
    assert len(Finding.objects.get().evidence["related"]) == bounds.MOST_RELATED


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("[a](javascript:alert(1))", "[a](javascript:alert(1))"),
        ("=HYPERLINK(1)", "=HYPERLINK(1)"),
        ("safe\u202egpj.exe", "safe\ufffdgpj.exe"),
        ("a\x00b", "a\ufffdb"),
        ("back\\slash \\N \\. tab\there", "back\\slash \\N \\. tab here"),
        ("{a,\"b\"}", "{a,\"b\"}"),
        ("%s %(import)s {0}", "%s %(import)s {0}"),
        ("'; DROP TABLE findings_finding; --", "'; DROP TABLE findings_finding; --"),
    ],
)  # fmt: skip
def test_a_trick_in_a_text_is_stored_as_text(text: str, stored: str, checkout: Service) -> None:
    row = upload(sarif(sarif_result(text=text, path=f"dir/{text.replace('/', '-')}", code=text)), checkout)
    assert row.state == "done", row.error
    assert Finding.objects.get().title == stored


def _long(name: str) -> str:
    return f"{name} " + "x" * 3000


def test_every_text_of_a_finding_may_be_far_too_long(checkout: Service) -> None:
    names = (
        "title", "description", "path", "rule", "resource", "namespace", "image", "package", "version", "endpoint",
        "cve", "recommendation", "tags", "status", "reason", "snippet", "tool", "category", "link",
    )  # fmt: skip
    row = upload(json.dumps([{name: _long(name) for name in names}]).encode(), checkout, name="list.json")
    assert (row.state, row.new) == ("done", 1), row.error
    result = sarif_result(_long("rule"), _long("path"), text=_long("text"), code=_long("code"))
    result["locations"][0]["logicalLocations"] = [{"fullyQualifiedName": _long("symbol")}]
    result["properties"] = {"tags": [_long("tag")]}
    row = upload(sarif(result, tool=_long("tool"), automationDetails={"id": _long("id") + "/1"}), checkout)
    assert (row.state, row.new) == ("done", 1), row.error


def test_a_text_that_grows_by_what_stands_for_a_secret_still_fits(checkout: Service) -> None:
    # Two hundred short ones: each is shorter than its mark.
    text = "pwd=a1b2 " * 55
    row = upload(sarif(sarif_result(path=text, text=text) | {"ruleId": text[:190]}), checkout)
    assert (row.state, row.new) == ("done", 1), row.error
    finding = Finding.objects.get()
    assert "a1b2" not in finding.title + finding.path + finding.rule
    assert "[redacted" in finding.title

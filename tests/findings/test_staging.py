"""Records as lines for COPY: what is hashed, what is looked at for secrets, what is left out."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from findings.scans.records import FindingRecord, Related, Suppression
from findings.staging import COLUMNS, Stager
from findings.vocabulary import Category, Severity, SeveritySource
from platform_risk.core.redaction import Redactor

SECRET = "ghp_0123456789abcdefghijklmnopqrstuv0123"
RECORD = FindingRecord(
    fingerprint="0" * 32,
    title="A title",
    severity=Severity.HIGH,
    severity_source=SeveritySource.REPORT,
    category=Category.SECURITY,
    rule="R1",
    scanner="probe",
    pointer="/runs/0/results/0",
    message="A message",
    path="app/main.py",
    line=3,
    excerpt="call()",
    tags=("security",),
)


def changed(**fields: Any) -> FindingRecord:
    return msgspec.structs.replace(RECORD, **fields)


def stager(team: int | None = 1, key: bytes = b"salt", known: frozenset[str] = frozenset()) -> Stager:
    return Stager(redactor=Redactor(b"salt"), team_of=lambda *_: (team, "service"), key=key, known=known)


def values(line: str) -> dict[str, str]:
    return dict(zip(COLUMNS, line.removesuffix("\n").split("\t"), strict=True))


def hashed(record: FindingRecord, by: Stager | None = None) -> str:
    return values((by or stager()).line(0, record))["content_hash"]


OTHER: dict[str, Any] = {
    "title": "Another title",
    "severity": Severity.LOW,
    "severity_source": SeveritySource.UNRATED,
    "category": Category.COST,
    "rule": "R2",
    "scanner": "other",
    "message": "Another message",
    "path": "app/other.py",
    "line": 4,
    "end_line": 5,
    "excerpt": "other()",
    "excerpt_line": 2,
    "tags": ("security", "network"),
    "identifiers": ("CWE-79",),
    "rule_help": "Do this.",
    "help_uri": "https://example.com/",
    "related": (Related("b.py", 2, "here"),),
    "suppression": Suppression("fixture", "inSource"),
    "quantities": ({"name": "pods", "value": 3},),
    "remedies": ("probes",),
}


@pytest.mark.parametrize("field", OTHER)
def test_the_hash_changes_with_what_is_stored(field: str) -> None:
    assert hashed(changed(**{field: OTHER[field]})) != hashed(RECORD)


def test_the_hash_stays_where_only_the_place_in_the_report_or_the_team_differs() -> None:
    assert hashed(changed(pointer="/runs/0/results/7", entry="other.sarif")) == hashed(RECORD)
    assert hashed(RECORD, stager(team=2)) == hashed(RECORD)


def test_the_hash_cannot_be_taken_without_the_key() -> None:
    assert hashed(RECORD, stager(key=b"another salt")) != hashed(RECORD)


def test_of_a_known_record_only_what_is_compared_is_written() -> None:
    full = values(stager().line(7, RECORD))
    known = values(stager(known=frozenset({full["fingerprint"] + full["content_hash"]})).line(7, RECORD))
    compared = ("ordinal", "fingerprint", "content_hash", "severity_rank", "suppressed")
    assert {name: known[name] for name in compared} == {name: full[name] for name in compared}
    assert {value for name, value in known.items() if name not in compared} == {"\\N"}


def test_what_copy_would_misread_is_escaped() -> None:
    line = stager().line(0, changed(message="a\\b\tc\nd\re", excerpt="\\N\n", identifiers=('C"\\1',)))
    assert line.count("\n") == 1
    found = values(line)
    assert found["message"] == "a\\\\b\\tc\\nd\\re"
    assert found["identifiers"] == '{"C\\\\"\\\\\\\\1"}'
    assert found["evidence"].startswith('{"excerpt":"\\\\\\\\N\\\\n"')


TEXTS = ("title", "message", "path", "resource", "image", "endpoint", "symbol", "excerpt")


@pytest.mark.parametrize("field", [*TEXTS, "rule", "rule_name", "rule_help", "package", "help_uri"])
def test_a_secret_is_redacted_in_whichever_text_it_stands(field: str) -> None:
    prefix = "https://example.com/" if field == "help_uri" else "key "
    line = stager().line(0, changed(**{field: prefix + SECRET}))
    assert SECRET not in line
    assert "[redacted github " in line


@pytest.mark.parametrize(
    "fields",
    [
        {"tags": (SECRET,)},
        {"related": (Related("b.py", 2, SECRET),)},
        {"related": (Related(SECRET, 2, ""),)},
        {"suppression": Suppression(SECRET)},
    ],
)
def test_a_secret_is_redacted_in_what_hangs_on_a_record(fields: dict[str, Any]) -> None:
    assert SECRET not in stager().line(0, changed(**fields))


# What secrets are recognised by, what stands where one could, and what could be taken together with the next text.
_PARTS = st.sampled_from(
    [
        SECRET, "password", "password=", "token: ", "name: DB_PASSWORD", "value: ", "<password>", "</password>", "<b>",
        "login me password ", "-u name:", "Authorization: Bearer ", "https://name:", "@host/", "hunter2hunter2",
        "${REF}", "$x", "'", '"', "\\", "\n", "\t", " ", "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----",
        "A1" * 30, "var.password", "secretKeyRef", "--token ", "PASSWORD 'x'", "changeme", "text",
    ]
)  # fmt: skip
_TEXT = st.lists(_PARTS, max_size=5).map("".join)


@given(st.fixed_dictionaries(dict.fromkeys(("title", "message", "path", "symbol", "excerpt"), _TEXT)))
def test_texts_looked_at_as_one_are_redacted_as_if_each_were_alone(texts: dict[str, str]) -> None:
    redact = Redactor(b"salt").text
    stored = values(stager().line(0, changed(**texts)))
    for name in ("title", "message", "path", "symbol"):
        alone = redact(texts[name]).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")
        assert stored[name] == alone
    evidence = stored["evidence"].replace("\\\\", "\\")
    shown = msgspec.json.decode(evidence)
    assert shown.get("excerpt", "") == redact(texts["excerpt"])

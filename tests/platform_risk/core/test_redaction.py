"""Secrets go, everything else stays."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platform_risk.core import redaction
from platform_risk.core.redaction import Redactor
from tests.examples import examples
from tests.secrets_planted import planted

_PLANTED = planted()
_redactor = Redactor(b"salt")


@pytest.mark.parametrize("name", _PLANTED)
def test_nothing_is_left_of_a_planted_secret(name: str) -> None:
    secret, text = _PLANTED[name]
    assert secret in text
    redacted = _redactor.text(f"before {text} after")
    assert secret not in redacted
    assert secret[:12] not in redacted
    assert secret[-12:] not in redacted
    assert re.search(r"\[redacted [a-z-]+ [0-9a-f]{8}\]", redacted)
    assert redacted.startswith("before ")
    assert redacted.endswith(" after")


@pytest.mark.parametrize("name", _PLANTED)
def test_nothing_is_left_of_it_in_raw_json_either(name: str) -> None:
    secret, text = _PLANTED[name]
    once = json.dumps({"text": f"a line\n{text}"})
    assert secret[:12] not in _redactor.text(once)
    assert secret[:12] not in _redactor.text(json.dumps({"raw": once}))


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("CREATE USER app IDENTIFIED BY 'hunter2hunter2'", "hunter2hunter2"),
        ("ALTER ROLE app WITH PASSWORD 'hunter2hunter2'", "hunter2hunter2"),
        ("machine git.example login app password hunter2hunter2", "hunter2hunter2"),
        ("curl -u app:hunter2hunter2 https://example.com/", "hunter2hunter2"),
        ("<db.password>hunter2hunter2</db.password>", "hunter2hunter2"),
        ("dbPassword: hunter2hunter2", "hunter2hunter2"),
        ("secret_key_base => 'hunter2hunter2'", "hunter2hunter2"),
        ("ENV API_KEY=hunter2hunter2", "hunter2hunter2"),
        ("token := `hunter2hunter2`", "hunter2hunter2"),
        ("config/postgres:/app:hunter2hunter2@db/app", "hunter2hunter2"),
        ('password = "with \\" a quote"', "a quote"),
        ("AccountName=x;AccountKey=" + "Q" * 40 + "==;", "QQQQ"),
        ("https://x.blob.example/?sv=1&sig=" + "Ab1%2B" * 6, "Ab1%2B"),
    ],
)
def test_nothing_is_left_of_a_secret_that_its_name_gives_away(text: str, secret: str) -> None:
    redacted = _redactor.text(text)
    assert secret not in redacted
    assert "[redacted " in redacted


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Ensure that RDS clusters have deletion protection enabled",
        "Basic authentication is used where a token would do",
        "bearer authentication, basic Authentication and token-based access",
        "master_password     = var.master_password",
        "password: ${DB_PASSWORD}",
        "password: {{ vault.password }}",
        "token: $CI_JOB_TOKEN",
        "secretKeyRef: {name: db, key: password}",
        "DB_PASSWORD_FILE=/run/secrets/db_password",
        "password: /run/secrets/DB_PASSWORD",
        "password: null",
        "token: <your token>",
        "- name: DB_PASSWORD\n  valueFrom:\n    secretKeyRef: {name: db}",
        "PASSWORD=changeme",
        "api_key = os.environ['API_KEY']",
        "password = getpass.getpass()",
        "the compass: north; the author: Ann; monkey=1; keyboard: yes",
        "image: registry.example/app:1.0@sha256:" + "ab12" * 16,
        "arn:aws:iam::123456789012:role/app",
        "https://example.com:8443/a@b",
        "s3://bucket/key",
        "commit 0123456789abcdef0123456789abcdef01234567",
        "CVE-2021-44228 in log4j-core 2.14.1",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
    ],
)
def test_text_that_holds_no_secret_stays_as_it_is(text: str) -> None:
    assert _redactor.text(text) == text


def test_the_same_secret_is_recognised_in_two_places_and_not_under_another_salt() -> None:
    one, two = _redactor.text("password: hunter2hunter2"), _redactor.text('API_KEY="hunter2hunter2"')
    mark = re.findall(r"\[redacted .*?\]", one)
    assert mark == re.findall(r"\[redacted .*?\]", two)
    assert mark[0] not in Redactor(b"other").text("password: hunter2hunter2")
    assert mark != re.findall(r"\[redacted .*?\]", _redactor.text("password: hunter2hunter3"))


def test_what_two_salts_leave_of_a_text_is_equal_without_their_digits() -> None:
    text = "password=hunter2hunter2 and AKIAIOSFODNN7EXAMPLE"
    one, two = (Redactor(salt).text(text) for salt in (b"one", b"two"))
    assert one != two
    assert redaction.unsalted(one) == redaction.unsalted(two) == "password=[redacted secret] and [redacted aws-key-id]"


_near = st.sampled_from([text for _, text in _PLANTED.values()]) | st.text(max_size=40)
_joints = st.sampled_from(
    [
        " ",
        "\n",
        '"',
        "'",
        ": ",
        "=",
        "\\",
        "[redacted ",
        "password: ",
        "token ",
        "://u:",
        "--api-key ",
        "-u a:",
        "<auth>",
        "</",
    ]
)


@given(st.lists(_near | _joints, max_size=8).map("".join))
@settings(max_examples=examples(300), deadline=None)
def test_redacting_again_changes_nothing(text: str) -> None:
    once = _redactor.text(text)
    assert _redactor.text(once) == once


@given(st.lists(_near | _joints, max_size=8).map("".join))
@settings(max_examples=examples(300), deadline=None)
def test_what_is_skipped_to_save_time_would_have_found_nothing(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(redaction, "_holds", lambda text, hints: True)
        patch.setattr(redaction, "_MAY_ASSIGN", re.compile(""))
        thorough = _redactor.text(text)
    assert _redactor.text(text) == thorough


@pytest.mark.parametrize(
    "piece",
    [
        "password: ", "token ", "-----BEGIN RSA PRIVATE KEY-----", "eyJ", "://a:", "name: secret\n", "a-" * 5 + "token",
        "<password>", "LS0tLS1CRUdJTiBQ ", "Bearer aaaaaaaaaaaa", '\\"', "secret=\\\"", "login a ", "sk-", "[redacted ",
    ],
)  # fmt: skip
def test_time_grows_with_the_text_and_no_faster(piece: str) -> None:
    text = piece * (400_000 // len(piece))  # with the square of it, this would take hours
    assert _redactor.text(text)


@given(st.lists(_near, max_size=6))
@settings(max_examples=examples(60), deadline=None)
def test_many_texts_at_once_are_redacted_as_each_by_itself(values: list[str]) -> None:
    redactor = _redactor
    assert redactor.texts(*values) == tuple(redactor.text(value) for value in values)


@pytest.mark.parametrize(
    "text",
    [
        "The key token of Secret vault-credentials is in the environment of two workloads.",
        "db-password comes from a file, app.api-key of another",
        "it-token or not",
    ],
)
def test_a_name_with_a_dash_is_no_option_of_a_command(text: str) -> None:
    assert _redactor.text(text) == text


@pytest.mark.parametrize(
    "text", ["run --token s3cr3t", "(-password s3cr3t)", '"--api-key s3cr3t"', r"a\n--db-password s3cr3t"]
)
def test_an_option_of_a_command_loses_its_value(text: str) -> None:
    assert "s3cr3t" not in _redactor.text(text)

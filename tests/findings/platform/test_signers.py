"""A signature proves who built an image only where the rule says who may sign."""

from typing import Any

import pytest

from findings.platform.signers import anybody, kyverno_anybody, sigstore_anybody
from findings.platform.yaml_reader import Document, read

SOMEBODY = "{keyless: {issuer: i, subject: 'https://github.com/example/shop/*'}}"
ANYBODY = "{keyless: {issuer: i, subject: 'https://github.com/*'}}"
KEY = "{keys: {publicKeys: k}}"


def parsed(text: str) -> Any:
    document = next(iter(read(text)))
    assert isinstance(document, Document)
    return document.root


@pytest.mark.parametrize(
    ("subject", "pattern"),
    [
        (None, None),
        ("*", None),
        ("https://github.com/*", None),
        ("https://github.com/*/.github/workflows/release.yml@refs/heads/main", None),
        (None, ".*"),
        (None, "^https://github\\.com/.*$"),
        (None, "https://gitlab.com/.*"),
    ],
)
def test_an_identity_without_an_owner_is_anybody(subject: str | None, pattern: str | None) -> None:
    assert anybody(subject, pattern)


@pytest.mark.parametrize(
    ("subject", "pattern"),
    [
        ("https://github.com/example/*", None),
        ("https://github.com/example/shop/.github/workflows/build.yml@refs/heads/main", None),
        ("*@example.com", None),
        (None, "^https://github\\.com/example/.*"),
        (None, "https://github.com/(example|shop)/.*"),
        (None, "https://github.com/example"),
    ],
)
def test_an_identity_with_an_owner_is_somebody(subject: str | None, pattern: str | None) -> None:
    assert not anybody(subject, pattern)


@pytest.mark.parametrize(
    ("attestors", "is_open"),
    [
        (f"[{{entries: [{ANYBODY}]}}]", True),
        (f"[{{entries: [{SOMEBODY}]}}]", False),
        (f"[{{entries: [{KEY}]}}]", False),
        (f"[{{entries: [{SOMEBODY}, {ANYBODY}]}}]", False),  # without a count all of them have to sign
        (f"[{{count: 1, entries: [{SOMEBODY}, {ANYBODY}]}}]", True),
        (f"[{{entries: [{ANYBODY}]}}, {{entries: [{KEY}]}}]", False),  # every set has to be met
        ("[]", False),
    ],
)
def test_a_set_of_attestors_is_open_when_anybody_can_meet_what_it_asks(attestors: str, *, is_open: bool) -> None:
    assert kyverno_anybody(parsed(f"attestors: {attestors}")) is is_open


@pytest.mark.parametrize(
    ("authorities", "is_open"),
    [
        ("[{static: {action: pass}}]", True),
        ("[{static: {action: fail}}]", False),
        ("[{key: {data: k}}]", False),
        ("[{keyless: {identities: [{issuer: i, subjectRegExp: .*}]}}]", True),
        ("[{keyless: {identities: [{issuer: i, subject: ops@example.com}]}}]", False),
        ("[{key: {data: k}}, {keyless: {url: u}}]", True),  # one authority is enough
        ("[]", False),
    ],
)
def test_an_authority_is_open_when_it_takes_any_signature_or_none(authorities: str, *, is_open: bool) -> None:
    assert sigstore_anybody(parsed(f"authorities: {authorities}")["authorities"]) is is_open

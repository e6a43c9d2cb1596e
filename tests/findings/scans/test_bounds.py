"""What a report may say, cut to what can be stored and shown."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from findings.scans import bounds
from tests.examples import examples

_ANY = st.text(st.characters(), max_size=60)  # lone surrogates too
_BAD = "\x00\x07\x1b\x7f\ud800\udfff\u202e\u2066\ufeff\u2028"


@pytest.mark.parametrize("character", _BAD)
def test_what_cannot_be_stored_or_would_disguise_becomes_a_replacement_character(character: str) -> None:
    assert bounds.text(f"a{character}b", 10) == "a\ufffdb"


@pytest.mark.parametrize("value", ["", "a\tb\nc", "é 漢字 👩‍💻 עברית", " a "])
def test_text_that_can_be_stored_stays(value: str) -> None:
    assert bounds.text(value, 100) == value


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, ""), (7, "7"), (1.5, "1.5"), (True, "True"), ([1], ""), ({}, ""), ("a\r\nb\rc", "a\nb\nc")],
)
def test_anything_becomes_text(value: object, expected: str) -> None:
    assert bounds.text(value, 100) == expected


def test_what_is_too_long_says_how_much_is_cut() -> None:
    cut = bounds.text("x" * 10_000_000, bounds.MESSAGE)
    assert len(cut) <= bounds.MESSAGE
    kept, _, note = cut.partition(" … ")
    assert note == f"({10_000_000 - len(kept):} characters cut)"


@pytest.mark.parametrize("at", range(440, 480))
def test_a_token_that_the_cut_would_tear_goes_whole(at: int) -> None:
    # Half of it would not be recognised as the secret that it is half of.
    cut = bounds.text("x" * at + ' "' + "Ab1_" * 10 + '" and so on, and on', 500)
    assert "Ab1_" not in cut or "Ab1_" * 10 in cut
    assert len(cut) <= 500
    assert bounds.text("postgres://app:" + "Ab1c" * 10 + "@db", 50).startswith("postgres://app: … (")


def test_a_text_that_is_one_token_is_cut_all_the_same() -> None:
    assert bounds.text("x" * 1000, 100).startswith("xxxx")


@given(_ANY, st.integers(0, 80))
@settings(max_examples=examples(300), deadline=None)
def test_text_always_fits_and_can_always_be_stored(value: str, longest: int) -> None:
    cut = bounds.text(value, longest)
    assert len(cut) <= max(longest, len(f" … ({len(value)} characters cut)"))
    cut.encode()  # raises for a lone surrogate
    assert not set(cut) & set(_BAD)
    assert bounds.line(value, 80) == bounds.line(bounds.line(value, 80), 80)
    assert "\n" not in bounds.line(value, 80)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1, 1), (2_147_483_647, 2_147_483_647), (2_147_483_648, None), (0, None), (-1, None), (True, None), (1.0, None),
     ("1", None), (None, None)],
)  # fmt: skip
def test_a_line_number_fits_its_column_or_is_none(value: object, expected: int | None) -> None:
    assert bounds.number(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a/b.py", "a/b.py"),
        ("/a/b.py", "a/b.py"),
        ("./a//b/./c.py", "a/b/c.py"),
        ("../../etc/passwd", "etc/passwd"),
        ("a/b/../c", "a/c"),
        ("a\\b\\c", "a/b/c"),
        ("a/..", ""),
        ("..", ""),
        ("...", "..."),
        (".github/x", ".github/x"),
        ("a\x00b", "a\ufffdb"),
        (None, ""),
    ],
)
def test_a_path_has_one_spelling(value: object, expected: str) -> None:
    assert bounds.path(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("file:///src/a.py", "src/a.py"),
        ("file:/src/a.py", "src/a.py"),
        ("file:a.py", "a.py"),
        ("file:///C:/src/a.py", "C:/src/a.py"),
        ("https://example.com/a/b", "a/b"),
        ("a%20b/%2e%2e/c", "c"),
        ("src/a:b.py", "src/a:b.py"),
        ("library/alpine:3.9", "library/alpine:3.9"),
        ("pkg:npm/left-pad", "pkg:npm/left-pad"),
        ("%2e%2e/%2e%2e/etc/passwd", "etc/passwd"),
        ("a%00b", "a\ufffdb"),
        ("%ff", "\ufffd"),
        ("100%", "100%"),
    ],
)
def test_a_uri_is_the_path_it_names(value: str, expected: str) -> None:
    assert bounds.uri(value) == expected


_PARTS = st.sampled_from(["..", ".", "", "a", "b c", "...", "..a", "x" * 300, "\\", "%2e%2e", "file:", "a:"])


@given(st.lists(_PARTS, max_size=12).map("/".join) | _ANY)
@settings(max_examples=examples(400), deadline=None)
def test_no_path_leaves_the_root_or_has_two_spellings(value: str) -> None:
    for cleaned in (bounds.path(value), bounds.uri(value)):
        assert len(cleaned) <= bounds.PATH
        assert not cleaned.startswith("/")
        assert not {"..", ".", ""} & set(cleaned.split("/")) or cleaned == ""
        assert bounds.path(cleaned) == cleaned


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("https://example.com/a?b=c", "https://example.com/a?b=c"),
        ("HTTP://EXAMPLE.COM", "HTTP://EXAMPLE.COM"),
        ("javascript:alert(1)", ""),
        (" javascript:alert(1)", ""),
        ("https://a/\njavascript:alert(1)", ""),
        ('https://a/"onclick=', ""),
        ("//example.com", ""),
        (None, ""),
    ],
)
def test_a_link_is_http_or_none(value: object, expected: str) -> None:
    assert bounds.link(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("see cve-2021-44228 and CWE-079", ("CVE-2021-44228", "CWE-79")),
        ("GHSA-JFH8-C2JP-5V3Q", ("GHSA-jfh8-c2jp-5v3q",)),
        ("external/cwe/cwe-79", ("CWE-79",)),
        ("RUSTSEC-2021-0001 PYSEC-2021-1", ("RUSTSEC-2021-0001", "PYSEC-2021-1")),
        ("xCVE-2021-44228 CVE-2021-1 CWE-123456", ()),
        ("CVE-2021-44228 CVE-2021-44228", ("CVE-2021-44228",)),
    ],
)
def test_identifiers_are_found_in_text_each_once(value: str, expected: tuple[str, ...]) -> None:
    assert bounds.identifiers(value) == expected


def test_no_more_identifiers_are_kept_than_fit() -> None:
    assert len(bounds.identifiers(" ".join(f"CVE-2021-{number}" for number in range(10_000, 10_200)))) == 50

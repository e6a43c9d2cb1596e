"""The filter language: one reading for pages, API, exports and bulk."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from findings import query
from findings.query import QueryError
from findings.vocabulary import Lane, Severity, Status
from tests.examples import examples


@pytest.mark.parametrize(
    ("q", "wanted", "excluded", "words"),
    [
        ("", {}, {}, ()),
        ("   ", {}, {}, ()),
        ("lane:immediate", {"lane": ("immediate",)}, {}, ()),
        ("lane:immediate lane:critical", {"lane": ("immediate", "critical")}, {}, ()),
        ("lane:critical lane:critical", {"lane": ("critical",)}, {}, ()),
        ("-status:dismissed", {}, {"status": ("dismissed",)}, ()),
        ("status:new -status:fixed", {"status": ("new",)}, {"status": ("fixed",)}, ()),
        ('tag:"two words"', {"tag": ("two words",)}, {}, ()),
        ("owner:me is:overdue class:cost", {"owner": ("me",), "is": ("overdue",), "class": ("cost",)}, {}, ()),
        ('-tag:y" tag:"x', {"tag": ("x",)}, {"tag": ("y",)}, ()),
        ("vault token", {}, {}, ("vault", "token")),
        ("Vault VAULT", {}, {}, ("vault",)),
        ('"vault token"', {}, {}, ("vault", "token")),
        ("apps/v1:Deployment", {}, {}, ("apps", "v1", "deployment")),
        ("https://example.com/a", {}, {}, ("https", "example", "com", "a")),
        ("unknown:thing", {}, {}, ("unknown", "thing")),
        ("path:k8s/* db", {"path": ("k8s/*",)}, {}, ("db",)),
        ("!!! ???", {}, {}, ()),
    ],
)  # fmt: skip
def test_a_filter_is_read_as_names_values_and_words(
    q: str, wanted: dict[str, tuple[str, ...]], excluded: dict[str, tuple[str, ...]], words: tuple[str, ...]
) -> None:
    read = query.parse(q)
    assert (read.wanted, read.excluded, read.words) == (wanted, excluded, words)
    assert read.is_empty == (not (wanted or excluded or words))


def test_parameters_and_the_language_hold_together() -> None:
    read = query.parse("lane:critical", {"lane": ["immediate"], "service": ["shop", ""], "team": []})
    assert read.wanted == {"lane": ("critical", "immediate"), "service": ("shop",)}


@pytest.mark.parametrize("name", query.ENUMS)
def test_a_value_outside_its_list_is_refused_with_the_values_there_are(name: str) -> None:
    with pytest.raises(QueryError) as caught:
        query.parse(f"{name}:nonsense")
    assert caught.value.parameter == name
    assert all(value in str(caught.value) for value in query.ENUMS[name])
    with pytest.raises(QueryError):
        query.parse("", {name: ["nonsense"]})


@pytest.mark.parametrize("name", query.NAMES)
def test_a_value_that_names_something_is_taken_as_it_is(name: str) -> None:
    assert query.parse(f"{name}:Anything-1").wanted == {name: ("Anything-1",)}


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("2026-11-23", query.Days(date(2026, 11, 23), date(2026, 11, 24))),
        (">2026-11-23", query.Days(date(2026, 11, 24))),
        (">=2026-11-23", query.Days(date(2026, 11, 23))),
        ("<2026-11-23", query.Days(end=date(2026, 11, 23))),
        ("<=2026-11-23", query.Days(end=date(2026, 11, 24))),
        ("2026-11-23..2026-11-29", query.Days(date(2026, 11, 23), date(2026, 11, 30))),
        ("2026-11-23..*", query.Days(date(2026, 11, 23))),
        ("*..today", query.Days(end=date(2026, 3, 2))),
        (">=today-7d", query.Days(date(2026, 2, 22))),
        ("<=today+2w", query.Days(end=date(2026, 3, 16))),
        ("none", query.Days(none=True)),
    ],
)
def test_days_are_read_as_from_one_until_before_another(text: str, days: query.Days) -> None:
    assert query.days_of("due", text, date(2026, 3, 1)) == days
    assert query.parse(f"due:{text}").wanted == {"due": (text,)}


@pytest.mark.parametrize("name", query.DAYS)
@pytest.mark.parametrize(
    "text",
    ["soon", "2026-13-01", ">", "==2026-01-01", "today-", "today-7", "..", "2026-01-01..", "9999-12-31", "2026-1-1"],
)
def test_what_is_no_day_is_refused_with_how_days_are_written(name: str, text: str) -> None:
    with pytest.raises(QueryError, match="2026-11-23") as caught:
        query.parse(f"{name}:{text}")
    assert caught.value.parameter == name


def test_every_value_of_the_vocabulary_can_be_filtered_for() -> None:
    for name, values in (("lane", Lane), ("status", Status), ("severity", Severity)):
        for value in values:
            assert query.parse(f"{name}:{value}").wanted == {name: (value,)}


@pytest.mark.parametrize("ordering", query.ORDERINGS)
def test_every_ordering_ends_in_a_key_that_is_unique(ordering: str) -> None:
    read = query.parse("", ordering=ordering)
    assert read.ordering == ordering
    assert read.keyset[-1].lstrip("-") == "id"


@pytest.mark.parametrize("name", query.SAME_ORDERINGS)
def test_the_names_of_fields_order_as_the_short_names_do(name: str) -> None:
    assert query.parse("", ordering=name).keyset == query.ORDERINGS[query.SAME_ORDERINGS[name]]


def test_the_ordering_is_by_priority_unless_asked_otherwise() -> None:
    assert query.parse("").keyset == ("rank", "id")
    with pytest.raises(QueryError) as caught:
        query.parse("", ordering="random")
    assert caught.value.parameter == "ordering"


@pytest.mark.parametrize(
    ("q", "parameters"),
    [
        ("a" * 2001, None),
        ("a\x00b", None),
        ("", {"tag": ["a\x00b"]}),
        ("", {"tag": ["a" * 501]}),
        ("tag:" + "a" * 501, None),
    ],
)
def test_what_is_too_long_or_holds_a_nul_is_refused(q: str, parameters: dict[str, list[str]] | None) -> None:
    with pytest.raises(QueryError):
        query.parse(q, parameters)


def test_only_so_many_words_are_searched_for() -> None:
    assert len(query.parse(" ".join(f"w{number}" for number in range(100))).words) == query.MOST_WORDS


_token = st.sampled_from(
    ["lane:immediate", "-status:fixed", 'tag:"a b"', "tag:", '"', ":", "-", "vault", "path:a/b", "é", 'tag:"x']
) | st.text(max_size=10)  # fmt: skip


@given(st.lists(_token, max_size=8).map(" ".join))
@settings(max_examples=examples(400), deadline=None)
def test_a_filter_written_out_again_is_the_same_filter(q: str) -> None:
    refused = ""
    try:
        read = query.parse(q)
    except QueryError as error:
        read, refused = query.Query(), error.parameter
    assert refused in ("", "q", *query.FILTERS)
    again = query.parse(read.text())
    assert (again.wanted, again.excluded, again.words) == (read.wanted, read.excluded, read.words)

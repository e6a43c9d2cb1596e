"""Who owns what: path patterns as CODEOWNERS has them, globs, first match, explanations."""

from dataclasses import replace
from fnmatch import fnmatchcase

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platform_risk.core import ownership
from platform_risk.core.ownership import PatternError, Rule, Subject
from tests.examples import examples


def _subject(kind: str, value: str) -> Subject:
    return replace(Subject(), **{kind: value})  # type: ignore[arg-type]  # one of its fields of one text


def _matches(pattern: str, value: str, kind: str = "path") -> bool:
    return ownership.matches(Rule(id=1, kind=kind, pattern=pattern, team=1), _subject(kind, value))


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*", "a/b/c.py"),
        ("*.py", "deep/down/main.py"),
        ("/build/logs/", "build/logs/today/log.txt"),
        ("/build/logs", "build/logs"),
        ("docs/*", "docs/start.md"),
        ("apps/", "x/apps/y.go"),
        ("apps", "apps"),
        ("/docs/", "docs/a/b.md"),
        ("**/logs", "logs"),
        ("**/logs", "deep/logs/y"),
        ("docs/**", "docs/a/b"),
        ("a/**/b", "a/b"),
        ("a/**/b", "a/x/y/b"),
        ("a/**/b/**/c", "a/b/x/b/y/c"),
        ("a?c/*.tf", "abc/main.tf"),
        ("k8s/*-prod/", "k8s/eu-prod/api.yaml"),
        ("/*", "README.md"),
        ("src/*.py", "src/[draft].py"),  # a bracket in the path is only a character
        ("docs/My File.md", "docs/My File.md"),
        ("/apps", "/apps/x"),  # a leading slash of the path does not count
    ],
)
def test_a_path_pattern_matches_what_codeowners_says_it_does(pattern: str, path: str) -> None:
    assert _matches(pattern, path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*.py", "main.pyc"),
        ("/build/logs/", "x/build/logs/y"),
        ("docs/*", "docs/a/b.md"),
        ("docs/*", "x/docs/a.md"),
        ("/*", "a/b"),
        ("docs/**", "docs"),
        ("a/**/b", "a/x/bc"),
        ("apps", "apps2/x"),
        ("a?c", "a/c"),
        ("*.tf", "main.tf.json"),
        ("APPS", "apps"),
    ],
)
def test_a_path_pattern_does_not_match_more_than_that(pattern: str, path: str) -> None:
    assert not _matches(pattern, path)


@pytest.mark.parametrize("kind", ["image", "namespace", "service"])
def test_other_kinds_are_globs_over_the_whole_text(kind: str) -> None:
    assert _matches("registry.example/payments/*", "registry.example/payments/api/v2:1.0", kind)
    assert _matches("pay*-?", "payments-1", kind)
    assert not _matches("payments", "payments-1", kind)
    assert not _matches("*.api", "a-api", kind)  # a full stop is only a full stop


@given(st.text("ab*?", max_size=8), st.text("ab\n", max_size=8))
@settings(max_examples=examples(300), deadline=None)
def test_globs_agree_with_the_standard_library(pattern: str, value: str) -> None:
    assert _matches(pattern, value, "image") == bool(value and fnmatchcase(value, pattern))


def _slowly(parts: list[str], names: list[str]) -> bool:
    """Path patterns as they are defined, without a thought for time."""
    if not parts:
        return not names
    if parts[0] == "**":
        return any(_slowly(parts[1:], names[start:]) for start in range(len(names) + 1))
    return bool(names) and fnmatchcase(names[0], parts[0]) and _slowly(parts[1:], names[1:])


_names = st.lists(st.text("ab", min_size=1, max_size=2), min_size=1, max_size=5)


@given(st.lists(st.sampled_from(["**", "a", "b", "a*", "?b"]), min_size=1, max_size=5), _names)
@settings(max_examples=examples(300), deadline=None)
def test_path_patterns_agree_with_their_definition(parts: list[str], names: list[str]) -> None:
    # What is below a match is owned too; `**` at the end asks for something below.
    below = ["?*", "**"] if parts[-1] == "**" else ["**"]
    expected = _slowly([*(parts[:-1] if parts[-1] == "**" else parts), *below], names)
    assert _matches("/" + "/".join(parts), "/".join(names)) == expected


def test_hostile_patterns_and_paths_take_no_time() -> None:
    assert not _matches("/".join(["**", "a*a*a*"] * 25) + "/z", "/".join(["a" * 20] * 45))
    assert not _matches("*a" * 200 + "b", "a" * 1000, "image")


@pytest.mark.parametrize(
    ("kind", "pattern"),
    [
        ("path", "!docs"),
        ("path", "src/[ab].py"),
        ("path", "/"),
        ("path", "a//b"),
        ("path", " "),
        ("image", ""),
        ("image", "a\x00"),
        ("image", "a" * 501),
        ("team", "a"),
    ],
)
def test_a_pattern_that_could_never_match_as_meant_is_refused(kind: str, pattern: str) -> None:
    with pytest.raises(PatternError):
        ownership.check_pattern(kind, pattern)


@pytest.mark.parametrize("kind", ownership.KINDS)
def test_a_usual_pattern_is_accepted(kind: str) -> None:
    ownership.check_pattern(kind, "payments/*")


_RULES = [
    Rule(id=1, kind="namespace", pattern="kube-*", team=10),
    Rule(id=2, kind="path", pattern="/k8s/", team=20),
    Rule(id=3, kind="service", pattern="*", team=30),
]


def test_the_first_rule_that_matches_wins() -> None:
    subject = Subject(path="k8s/api.yaml", service="checkout")
    assert ownership.first_match(_RULES, subject).rule == _RULES[1]
    assert ownership.first_match(_RULES[::-1], subject).rule == _RULES[2]


def test_nothing_matches_what_no_rule_is_about() -> None:
    assert ownership.first_match(_RULES, Subject(image="nginx")).rule is None
    assert ownership.explain([], Subject(path="a")) == ownership.Explained(None)


def test_an_explanation_tells_of_each_rule_up_to_the_one_that_matched() -> None:
    explained = ownership.explain(_RULES, Subject(path="k8s/api.yaml", service="checkout"))
    assert explained.rule == _RULES[1]
    assert [(step.rule.id, step.matched, step.why) for step in explained.steps] == [
        (1, False, "There is no namespace to compare."),
        (2, True, "/k8s/ matches k8s/api.yaml."),
    ]
    assert ownership.explain(_RULES[:2], Subject(path="src/a")).steps[1].why == "/k8s/ does not match src/a."


def test_codeowners_is_turned_round_because_there_the_last_match_wins() -> None:
    text = """\ufeff
# everything
*       @acme/platform
*.go    @gopher docs@example.com  # both
/docs/My\\ Notes/ @writer
/vendored/
"""
    assert ownership.parse_codeowners(text) == [
        ("/vendored/", ()),
        ("/docs/My Notes/", ("@writer",)),
        ("*.go", ("@gopher", "docs@example.com")),
        ("*", ("@acme/platform",)),
    ]


def test_owners_of_a_gitlab_section_are_those_of_its_lines_without_any() -> None:
    text = "README @all\n[Docs][2] @writers\ndocs/\nguide/ @guides\n^[Optional]\nlogs/\n"
    assert ownership.parse_codeowners(text) == [
        ("logs/", ()),
        ("guide/", ("@guides",)),
        ("docs/", ("@writers",)),
        ("README", ("@all",)),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ok @a\n!no @a\n", "Line 2"),
        ("*.py payments\n", "payments is no owner"),
        ("[Docs] payments\n", "Line 1: payments is no owner"),
        ("\n\na[b] @x\n", "Line 3"),
    ],
)
def test_a_broken_codeowners_line_is_named(text: str, said: str) -> None:
    with pytest.raises(PatternError, match=said.replace("[", r"\[")):
        ownership.parse_codeowners(text)


@given(st.text(max_size=200))
@settings(max_examples=examples(200), deadline=None)
def test_any_text_is_a_codeowners_file_or_refused_with_its_line(text: str) -> None:
    said = "Line "
    try:
        for pattern, _ in ownership.parse_codeowners(text):
            ownership.check_pattern("path", pattern)
    except PatternError as error:
        said = str(error)
    assert said.startswith("Line ")

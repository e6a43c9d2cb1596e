"""YAML as real repositories hold it: with lines, and with what would hurt named instead of followed."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findings.platform.yaml_reader import TEMPLATE, Broken, Document, Map, Seq, read, read_json


def roots(text: str) -> list[Any]:
    return [each.root for each in read(text) if isinstance(each, Document)]


def broken(text: str) -> list[Broken]:
    return [each for each in read(text) if isinstance(each, Broken)]


def test_every_key_and_item_knows_its_line() -> None:
    (root,) = roots("a: 1\n\nb:\n  - x\n  - c: 2\n    d: 3\n")
    assert root.lines == {"a": 1, "b": 3}
    assert root["b"].lines == [4, 5]
    assert root["b"][1].lines == {"c": 5, "d": 6}


def test_a_broken_document_does_not_hide_the_ones_around_it() -> None:
    text = "a: 1\n---\nb: [1,\n---\nc: 3\n"
    assert roots(text) == [{"a": 1}, {"c": 3}]
    assert [each.line for each in broken(text)] == [4]
    assert roots(text)[1].lines == {"c": 5}


def test_lines_count_across_documents_and_comments() -> None:
    text = "# head\n---\na: 1\n---\n# only a comment\n---\nb: 2\n"
    assert [root.lines for root in roots(text)] == [{"a": 3}, {"b": 7}]


@pytest.mark.parametrize("text", ["{% set name = 1 %}\n", "a:\n{% if b %}\n  c: 1\n{% endif %}\n", "a: {{ b }}: c\n"])
def test_a_template_is_called_one(text: str) -> None:
    assert [each.reason for each in broken(text)] == [TEMPLATE]


def test_separators_inside_a_block_scalar_do_not_split_it() -> None:
    text = "a: |\n  x\n  ---\n  y\nb: 1\n"
    assert roots(text) == [{"a": "x\n---\ny\n", "b": 1}]


def test_a_key_that_stands_twice_is_refused_with_both_lines() -> None:
    (found,) = broken("a: 1\nb: 2\na: 3\n")
    assert found.line == 3
    assert "a stands twice, first on line 1" in found.reason


def test_an_alias_shares_its_node_and_a_merge_keeps_what_is_stated() -> None:
    (root,) = roots("base: &b\n  x: 1\n  y: 2\nuse:\n  <<: *b\n  y: 3\nsame: *b\n")
    assert root["use"] == {"x": 1, "y": 3}
    assert root["use"].lines == {"x": 2, "y": 6}
    assert root["same"] is root["base"]


def test_aliases_that_multiply_are_refused_instead_of_expanded() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    (found,) = broken("\n".join(lines))
    assert "expand" in found.reason


def test_an_alias_within_itself_and_an_alias_of_nothing_are_refused() -> None:
    assert "contains itself" in broken("a: &x\n  b: *x\n")[0].reason
    assert "has no anchor" in broken("a: *nothing\n")[0].reason


def test_deep_nesting_is_refused() -> None:
    assert "nested deeper" in broken("[" * 500 + "]" * 500)[0].reason


def test_a_template_that_was_not_rendered_is_called_so() -> None:
    assert broken("a: {{ .Values.a }}\nb: 1\n")[0].reason == TEMPLATE
    assert broken("{{- if .Values.on }}\na: 1\n{{- end }}\n")[0].reason == TEMPLATE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7", 7), ("-7", -7), ("0o17", 15), ("0x1f", 31), ("1.5", 1.5), ("1e3", 1000.0), ("true", True), ("null", None),
        ("~", None), ("yes", "yes"), ("on", "on"), ("'7'", "7"), ('"true"', "true"), ("1_000", "1_000"),
        ("500m", "500m"),
        ("2024-01-01", "2024-01-01"), ("12:30", "12:30"), ("=", "="), (".inf", ".inf"), ("9" * 1000, "9" * 1000),
        ("1e999", "1e999"),
    ],
)  # fmt: skip
def test_a_plain_word_is_what_the_tools_of_kubernetes_take_it_for(text: str, expected: Any) -> None:
    (root,) = roots(f"a: {text}\n")
    assert root["a"] == expected
    assert type(root["a"]) is type(expected)


def test_json_is_read_with_lines_too() -> None:
    (root,) = roots('{\n  "a": 1,\n  "b": [\n    {"c": null}\n  ]\n}\n')
    assert root == {"a": 1, "b": [{"c": None}]}
    assert root.lines == {"a": 2, "b": 3}


def test_nothing_is_no_document() -> None:
    for text in ("", "\n\n", "---\n---\n", "# a comment\n", "%YAML 1.2\n"):
        assert list(read(text)) == []


@given(st.text(alphabet=st.sampled_from("abc:-[]{}&*!|>'\"#\n \t%@`?,{{}}"), max_size=60))
def test_any_text_ends_with_documents_or_reasons(text: str) -> None:
    for each in read(text):
        assert each.line >= 1
        if isinstance(each, Broken):
            assert each.reason


trees = st.recursive(
    st.integers(-1000, 1000) | st.booleans() | st.text(alphabet="abcxyz", min_size=1, max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1, max_size=3), inner, max_size=3)
    ),
    max_leaves=12,
)


def written(node: Any, indent: int, gap: str) -> str:
    """Block YAML of a tree, with what stands between two lines."""
    pad = "  " * indent
    if isinstance(node, dict) and node:
        return "".join(f"\n{gap}{pad}{key}:{written(value, indent + 1, gap)}" for key, value in node.items())
    if isinstance(node, list) and node:
        return "".join(f"\n{gap}{pad}-{written(value, indent + 1, gap)}" for value in node)
    return f" {node!r}".replace("True", "true").replace("False", "false")


@given(st.dictionaries(st.text("abc", min_size=1, max_size=3), trees, min_size=1, max_size=3))
def test_white_space_moves_lines_and_nothing_else(tree: dict[str, Any]) -> None:
    (close,) = roots(written(tree, 0, ""))
    (far,) = roots(written(tree, 0, "\n  \n# a comment\n"))
    assert close == far == tree
    assert isinstance(close, Map)
    assert list(close.lines) == list(far.lines)
    assert all(far.lines[key] >= line for key, line in close.lines.items())


def test_the_line_of_a_list_inside_a_list_is_its_own() -> None:
    (root,) = roots("a:\n- - 1\n  - 2\n- 3\n")
    assert isinstance(root["a"], Seq)
    assert root["a"].lines == [2, 4]
    assert root["a"][0].lines == [2, 3]


@pytest.mark.parametrize("text", ['{"a": "' + '\\"' * 300_000, "{" + "/*" * 300_000, '{"a": 1 /* ' + '"//' * 200_000])
def test_json_that_begins_something_very_often_and_ends_it_never_is_read_once(text: str) -> None:
    (found,) = read_json(text)
    assert isinstance(found, Broken)

"""JSON that may be large and may be hostile: depth, places, the outline of a beginning."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from findings.scans import json_reader
from findings.scans.records import ScanError
from tests.examples import examples

_JSON = st.recursive(
    st.none() | st.integers() | st.text('ab"\\[]{}:, \n', max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text('a"\\[{', max_size=3), inner, max_size=3),
    max_leaves=20,
)


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    return 1 + max(map(_depth, value), default=0) if isinstance(value, list) else 0


def _too_deep(data: bytes, deepest: int) -> bool:
    try:
        json_reader.check_depth(memoryview(data), deepest)
    except ScanError as error:
        return error.code == "too_deep"
    return False


@given(_JSON, st.integers(1, 6), st.sampled_from([1, 2, 3, 7, 4096]), st.sampled_from([0, 2, 40]))
@settings(max_examples=examples(150), deadline=None)
def test_depth_is_counted_right_wherever_the_blocks_are_cut(value: Any, deepest: int, block: int, passes: int) -> None:
    data = json.dumps(value).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_reader, "_BLOCK", block)
        patch.setattr(json_reader, "_PASSES", passes)
        assert _too_deep(data, deepest) == (_depth(value) > deepest)


@pytest.mark.parametrize("shape", [b"[" * 100_000, b'{"a":' * 100_000, b"[" * 100_000 + b"]" * 100_000, b"[{" * 50_000])
def test_nesting_of_a_hundred_thousand_is_refused_at_once(shape: bytes) -> None:
    assert _too_deep(shape, 200)


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"{", (1, 2)),
        (b"[1,\n2,\n x]", (3, 2)),
        (b'{"a": NaN}', (1, 7)),
        (b'{"a": Infinity}', (1, 7)),
        (b"\x00", (1, 1)),
    ],
)
def test_what_is_no_json_is_refused_with_line_and_column(data: bytes, place: tuple[int, int]) -> None:
    with pytest.raises(ScanError) as caught:
        json_reader.decode(memoryview(data), object)
    location = caught.value.location
    assert caught.value.code == "not_json"
    assert (location["line"], location["column"]) == place
    assert caught.value.remedy


@pytest.mark.parametrize("cut", range(1, 22))
def test_the_place_is_right_wherever_the_blocks_are_cut(cut: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_reader, "_BLOCK", cut)
        with pytest.raises(ScanError) as caught:
            json_reader.decode(memoryview(b"[1,\n2,\n\n 3,\n  oops]\n"), list[int])
    assert (caught.value.location["line"], caught.value.location["column"]) == (5, 3)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b" \n\t ", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        ('{"a": 1}'.encode("utf-16"), "wrong_encoding"),
        ('{"a": 1}'.encode("utf-16-be"), "wrong_encoding"),
        ('{"a": 1}'.encode("utf-32-le"), "wrong_encoding"),
    ],
)
def test_an_empty_file_and_other_encodings_are_refused(data: bytes, code: str) -> None:
    with pytest.raises(ScanError) as caught:
        json_reader.prepared(data)
    assert caught.value.code == code
    assert caught.value.remedy


def test_a_byte_order_mark_is_left_out() -> None:
    assert bytes(json_reader.prepared(b"\xef\xbb\xbf[1]")) == b"[1]"


@pytest.mark.parametrize(
    ("message", "words", "pointer"),
    [
        ("Expected `int` - at `$.runs[0].x`", "Expected `int`", "/runs/0/x"),
        ("Expected `int` - at `$[...].a[3]`", "Expected `int`", "/.../a/3"),
        ("Expected `int`", "Expected `int`", "/"),
    ],
)
def test_a_place_in_the_document_becomes_a_json_pointer(message: str, words: str, pointer: str) -> None:
    assert json_reader.split_pointer(message) == (words, pointer)


def _outline(value: Any) -> dict[str, str]:
    return json_reader.outline(json.dumps(value).encode())


def test_an_outline_tells_which_keys_stand_where() -> None:
    assert _outline({"runs": [{"tool": {"name": "x"}}]}) == {"runs": "", "runs[].tool": "", "runs[].tool.name": "x"}
    assert _outline([{"a": 1}, {"b": "2"}]) == {"[].a": "", "[].b": "2"}
    assert _outline({'a"b': "c\\"}) == {'a\\"b': "c\\\\"}
    assert _outline("text") == {}


def test_what_stands_in_text_is_no_key() -> None:
    assert _outline({"a": '{"runs": [', "b": ["x", '"c": 1']}) == {"a": '{\\"runs\\": [', "b": ""}


@given(_JSON, st.integers(0, 200))
@settings(max_examples=examples(120), deadline=None)
def test_an_outline_of_a_beginning_is_part_of_the_whole_outline(value: Any, cut: int) -> None:
    whole = json.dumps(value).encode()
    assert json_reader.outline(whole[:cut]).keys() <= json_reader.outline(whole).keys()


@pytest.mark.parametrize("piece", [b'\\"', b'"', b"\\", b'""', b'"a" ', b'\\\n"', b"[", b'{"a":'])
def test_an_outline_of_a_hostile_beginning_takes_no_time(piece: bytes) -> None:
    head = (b'{"' + piece * (64 * 1024 // len(piece)))[: 64 * 1024]
    assert isinstance(json_reader.outline(head), dict)

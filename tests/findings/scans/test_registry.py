"""Formats: ours by one line each, those of other packages through an entry point."""

import logging
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from findings.scans import detect, registry
from findings.scans.options import Match, Options
from findings.scans.records import Report


def _open(data: Any, options: Options) -> Report:
    raise NotImplementedError


def _sniff(head: bytes) -> Match:
    return Match(0.99, "It begins with a mark.") if head.startswith(b"MARK") else Match(0, "No mark.", "a mark")


def _point(name: str, loaded: object) -> SimpleNamespace:
    def load() -> object:
        if isinstance(loaded, Exception):
            raise loaded
        return loaded

    return SimpleNamespace(name=name, value=f"other.package:{name}", load=load)


@pytest.fixture
def points(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[SimpleNamespace]]:
    found: list[SimpleNamespace] = []
    monkeypatch.setattr(registry, "entry_points", lambda group: found if group == registry.GROUP else [])
    registry.formats.cache_clear()
    yield found
    registry.formats.cache_clear()


def test_another_package_brings_a_format_and_it_is_detected(points: list[SimpleNamespace]) -> None:
    points.append(_point("marked", registry.Format("marked", "Marked", _sniff, _open)))
    assert set(registry.formats()) == {*registry.FORMATS, "marked"}
    assert detect.of(b"MARK 1").format == "marked"


@pytest.mark.parametrize(
    ("loaded", "said"),
    [
        (ImportError("no such module"), "cannot be loaded"),
        ("no format", "is no Format"),
        (registry.Format("sarif", "Another SARIF", _sniff, _open), "its name is taken"),
    ],
)
def test_one_that_cannot_be_used_is_named_in_the_log_and_the_others_stay(
    loaded: object, said: str, points: list[SimpleNamespace], caplog: pytest.LogCaptureFixture
) -> None:
    points.append(_point("broken", loaded))
    with caplog.at_level(logging.ERROR):
        assert registry.formats() == registry.FORMATS
    assert said in caplog.text
    assert "other.package:broken" in caplog.text


def test_a_format_is_registered_under_its_own_name() -> None:
    assert {name: format_.name for name, format_ in registry.FORMATS.items()} == {n: n for n in registry.FORMATS}
    assert all(format_.title for format_ in registry.FORMATS.values())

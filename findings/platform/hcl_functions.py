"""Terraform's functions that need nothing but their arguments. PURE."""

import json
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from findings.platform.yaml_reader import Map, Seq
from platform_risk.quantities.sourced import Unknown

MOST_VALUES = 200_000  # in one value: locals may repeat one another
MOST_TEXT = 1_000_000  # of one value
PLAN = "the plan as JSON: terraform show -json"


class Cannot(Exception):
    """An expression cannot be told from the files."""

    def __init__(self, reason: str, provide: str = PLAN, partial: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.provide = provide
        self.partial = partial  # of a text: what is known of it, with … for each part that is not


class Missing(Cannot):
    """It asks for an attribute or item that its value does not have."""


def as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise Cannot("a template of something that is no text", "a text")


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


C = TypeVar("C", Map, Seq)


def sized(made: C, held: Iterable[Any]) -> C:
    """A collection with the number of values in it, shared ones counted each time. Raises Cannot past a bound."""
    made.size = 1 + sum(each.size if isinstance(each, Map | Seq) else 1 for each in held)
    if made.size > MOST_VALUES:
        raise Cannot(f"a value of more than {MOST_VALUES} values")
    return made


def _whole(value: Any) -> Any:
    """The same without anything unknown in it. Raises Cannot."""
    if isinstance(value, Unknown):
        raise Cannot(value.reason, value.provide)
    if isinstance(value, Map):
        return {key: _whole(each) for key, each in value.items()}
    if isinstance(value, Seq):
        return [_whole(each) for each in value]
    return value


def bounded(text: str) -> str:
    if len(text) > MOST_TEXT:
        raise Cannot(f"a text of more than {MOST_TEXT} characters")
    return text


def _jsonencode(given: list[Any]) -> str:
    try:
        return _json(_whole(given[0]))
    except Cannot as error:
        error.partial = _json(_known(given[0]))
        raise


def _json(value: Any) -> str:
    return bounded(json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False))


def _known(value: Any) -> Any:
    """The same with what is known of the rest: of a text its known parts, else …."""
    if isinstance(value, Unknown):
        return value.partial or "…"
    if isinstance(value, Map):
        return {key: _known(each) for key, each in value.items()}
    if isinstance(value, Seq):
        return [_known(each) for each in value]
    return value


def _merge(given: list[Any]) -> Map:
    made = Map(given[0].line if given and isinstance(given[0], Map) else 0)
    for each in given:
        if not isinstance(each, Map):
            raise Cannot("merge() of something that is no map")
        made |= each
        made.lines |= each.lines
    return sized(made, made.values())


def _concat(given: list[Any]) -> Seq:
    made = Seq(given[0].line if given and isinstance(given[0], Seq) else 0)
    for each in given:
        if not isinstance(each, Seq):
            raise Cannot("concat() of something that is no list")
        made += each
        made.lines += each.lines
    return sized(made, made)


def _tonumber(given: list[Any]) -> Any:
    try:
        return given[0] if is_number(given[0]) else int(given[0])
    except (ValueError, TypeError):
        raise Cannot(f"tonumber() of {str(given[0])[:40]}", "a number") from None


def _coalesce(given: list[Any]) -> Any:
    return next((each for each in given if each not in (None, "")), None)


def _lookup(given: list[Any]) -> Any:
    found = given[0].get(as_text(given[1])) if isinstance(given[0], Map) else None
    if isinstance(found, Unknown):
        raise Cannot(found.reason, found.provide)
    if found is None and len(given) < 3:
        raise Missing(f"lookup() of {as_text(given[1])}, which is not there")
    return given[2] if found is None else found


def _length(given: list[Any]) -> int:
    if isinstance(given[0], str | Map | Seq):
        return len(given[0])
    raise Cannot("length() of something that has none")


def _extreme(choose: Callable[[list[Any]], Any]) -> Callable[[list[Any]], Any]:
    def chosen(given: list[Any]) -> Any:
        if given and all(is_number(each) for each in given):
            return choose(given)
        raise Cannot("max() or min() of something that is no number")

    return chosen


def _join(given: list[Any]) -> str:
    if not isinstance(given[1], Seq):
        raise Cannot("join() of something that is no list")
    return bounded(as_text(given[0]).join(as_text(each) for each in _whole(given[1])))


def _contains(given: list[Any]) -> bool:
    if not isinstance(given[0], Seq):
        raise Cannot("contains() of something that is no list")
    return given[1] in _whole(given[0])


FUNCTIONS: dict[str, Callable[[list[Any]], Any]] = {
    "jsonencode": _jsonencode,
    "yamlencode": _jsonencode,  # JSON is YAML: whoever reads the text reads this too
    "merge": _merge,
    "concat": _concat,
    "tonumber": _tonumber,
    "tostring": lambda given: as_text(given[0]),
    "toset": lambda given: given[0],
    "tolist": lambda given: given[0],
    "tomap": lambda given: given[0],
    "coalesce": _coalesce,
    "lookup": _lookup,
    "length": _length,
    "max": _extreme(max),
    "min": _extreme(min),
    "join": _join,
    "contains": _contains,
    "lower": lambda given: as_text(given[0]).lower(),
    "upper": lambda given: as_text(given[0]).upper(),
}

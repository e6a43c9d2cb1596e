"""Tags as exports write them, reduced to those by which costs are given to somebody. PURE."""

import json
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import msgspec

# Kept of every bill; keys that ownership rules name come on top.
TEAM_KEYS = ("team", "owner", "squad", "department", "cost-center", "costcenter", "cost_center", "business-unit")
SERVICE_KEYS = (
    "service", "app.kubernetes.io/name", "application", "app", "component", "workload", "system", "project", "product",
)  # fmt: skip
ENVIRONMENT_KEYS = ("environment", "env", "stage")
OTHER_KEYS = ("app.kubernetes.io/part-of", "k8s-app", "cluster", "namespace", "shared")
KEYS = frozenset((*TEAM_KEYS, *SERVICE_KEYS, *ENVIRONMENT_KEYS, *OTHER_KEYS))
_LONGEST = 200
_PREFIXES = re.compile(r"^(?:resource_?tags[/_])?(?:user[:_]|label_)?")
# Made once: json.dumps makes an encoder for every call that is not by its defaults.
_written = json.JSONEncoder(sort_keys=True, ensure_ascii=False).encode
_decode = msgspec.json.Decoder(float_hook=float).decode
_NOT_WORD = re.compile(r"[^a-z0-9]")


def keeper(keys: Iterable[str]) -> Callable[[str | None], str]:
    """A function from a tags cell to JSON of the tags that are kept, sorted; "{}" for none."""
    # Kubernetes' names come with their dots and slashes replaced: both spellings mean the same.
    wanted = {_NOT_WORD.sub("_", key.lower()): key.lower() for key in sorted(keys)} | {
        key.lower(): key.lower() for key in keys
    }

    @lru_cache(maxsize=1_000)  # the same few names in every cell of a bill
    def known_as(name: str) -> str | None:
        key = _PREFIXES.sub("", name.lower())
        return wanted.get(key) or wanted.get(_NOT_WORD.sub("_", key))

    @lru_cache(maxsize=1_000)  # nearly every cell of a bill has one of a few hundred combinations
    def written(found: tuple[tuple[str, Any], ...]) -> str:
        words: dict[str, str] = {}
        for known, value in found:
            if known not in words and (word := _word(value)):
                words[known] = word[:_LONGEST]
        return _written(words) if words else "{}"

    def kept(cell: str | None) -> str:
        found = [(known, value) for name, value in _pairs(cell) if (known := known_as(name))]
        if not found:
            return "{}"
        # 1, 1.0 and true are one key of a cache; lists and objects are none.
        if any(type(value) is not str for _, value in found):
            return written.__wrapped__(tuple(found))
        return written(tuple(found))

    return kept


def _pairs(cell: str | None) -> Iterable[tuple[str, Any]]:
    if not cell:
        return []
    text = cell.strip()
    if text[:1] == '"':  # Azure leaves the braces out
        text = "{" + text.rstrip(",") + "}"
    try:
        # A quarter of the time of json.loads. What it refuses, as NaN, is asked of the other.
        return _flat(_decode(text))
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        pass
    try:
        return _flat(json.loads(text))
    except (ValueError, RecursionError):
        return []


def _flat(value: Any) -> Iterable[tuple[str, Any]]:
    if isinstance(value, dict):
        return value.items()
    if isinstance(value, list):  # Google's: [{"key": …, "value": …}]
        return [(str(each["key"]), each.get("value")) for each in value if isinstance(each, dict) and "key" in each]
    return []


def _word(value: Any) -> str:
    if value is None or isinstance(value, dict | list):
        return ""
    text = value if isinstance(value, str) else json.dumps(value)
    return text.replace("\x00", "").encode("utf-8", "replace").decode().strip()

"""Application settings out of everything that states them, flat and comparable. PURE."""

import re
import tomllib
from collections.abc import Iterable, Iterator
from typing import Any, cast

from findings.platform.config_files import ConfigFile
from findings.platform.model import Resource, Setting, Workload
from findings.platform.yaml_reader import Broken, Map, Seq, plain, read
from platform_risk.quantities.sourced import Place, Source, Sourced

MOST_DEPTH = 12
_MOST_DOTS = 5_000  # in a line of TOML
_SPACED = re.compile(r"(?:.*/)?(?:redis|valkey|keydb)(?:[-.]?(?:additional\.)?conf(?:ig)?)?\Z")
_PAIR = re.compile(r"\s*(?:export\s+)?([A-Za-z_][\w.\-\[\]]*)\s*[=:]\s*(.*?)\s*\Z")


Leaf = tuple[str, Any, int | None]


def flat(root: Any) -> list[Leaf]:
    """(dotted key, scalar, line) of every leaf; items of lists by their number."""
    found: list[Leaf] = []
    _flatten(root, "", 0, found)
    return found


def _flatten(node: Any, prefix: str, depth: int, found: list[Leaf]) -> None:
    if depth >= MOST_DEPTH or not isinstance(node, Map | Seq):
        return
    is_map, lines = isinstance(node, Map), cast(Any, node.lines)
    below: Iterable[tuple[Any, Any]] = node.items() if isinstance(node, Map) else enumerate(node)
    for key, value in below:
        dotted = key if is_map and not prefix else f"{prefix}.{key}"
        if isinstance(value, Map | Seq):
            _flatten(value, dotted, depth + 1, found)
        elif value is not None and dotted:
            found.append((dotted, value, lines.get(key) if is_map else lines[key]))


def of_config(config: ConfigFile) -> Iterator[Setting]:
    holder = config.resource.id if config.resource else ""
    scope = holder or config.path
    for key, value, line in flat(config.root):
        yield Setting(key, Sourced(value, Source.FILE, Place(config.path, line, holder)), scope)
    for name, value, line in pairs(config.root) if {"name", "value"} <= config.keys else ():
        yield Setting(name, Sourced(plain_or_text(str(value)), Source.FILE, config.place(line)), scope)


def of_config_maps(resources: Iterable[Resource], of_workloads: Iterable[Setting]) -> Iterator[Setting]:
    """Plain values of ConfigMaps that no workload among the files has in its environment: its owner may be elsewhere,
    or mount it. Those that one has are its own settings."""
    used = {each.value.place for each in of_workloads}
    for resource in resources:
        data = resource.at("data") if resource.kind == "ConfigMap" else None
        if data is None or not isinstance(data.value, Map):
            continue
        for key, value in data.value.items():
            place = resource.place(data.value.lines.get(key))
            if isinstance(value, str) and "\n" not in value and place not in used:
                yield Setting(key, Sourced(plain_or_text(value), Source.FILE, place), resource.id)


def pairs(root: Any, depth: int = 0) -> Iterator[tuple[str, Any, int | None]]:
    """(name, value, line) of the items `name: X, value: Y` of any list: variables of a container without its pod."""
    if depth > MOST_DEPTH:
        return
    if isinstance(root, Map):
        for value in root.values():
            yield from pairs(value, depth + 1)
    elif isinstance(root, Seq):
        for item in root:
            if isinstance(item, Map) and isinstance(item.get("name"), str) and _is_scalar(item.get("value")):
                yield item["name"], item["value"], item.lines["value"]
            else:
                yield from pairs(item, depth + 1)


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | int | float)


def of_workload(workload: Workload) -> Iterator[Setting]:
    """Environment variables of its containers, and the flags of their command lines."""
    for container in workload.containers:
        for name, variable in container.env.items():
            if variable.value is not None:
                yield Setting(name, variable.value.map(plain_or_text), workload.id)
        words = container.words
        place = workload.resource.place(container.node.line)
        for number, word in enumerate(words):
            if word.startswith("--") and len(word) > 2:
                name, has, value = word[2:].partition("=")
                if not has and number + 1 < len(words) and not words[number + 1].startswith("-"):
                    value = words[number + 1]
                if value:
                    yield Setting(name, Sourced(plain_or_text(value), Source.FILE, place), workload.id)


def plain_or_text(value: str) -> Any:
    return plain(value) if value and len(value) < 400 else value


def parsed(text: str, name: str, offset: int = 0) -> Any | None:
    """A configuration text by the end of its name, as Map or Seq with lines; None when it is no such thing.

    `offset` is the number of lines before it in its file.
    """
    end = name.rpartition(".")[2].lower()
    if end in ("yaml", "yml", "json"):
        documents = (each for each in read(text, offset) if not isinstance(each, Broken))
        first = next(documents, None)
        return first.root if first is not None and isinstance(first.root, Map | Seq) else None
    if _SPACED.match(name):
        return _spaced(text, offset)
    if end == "toml":
        if any(line.count(".") > _MOST_DOTS for line in text.splitlines()):
            return None  # tomllib takes time that grows with the square of a key's parts
        try:
            return _with_lines(tomllib.loads(text), text, offset)
        except (tomllib.TOMLDecodeError, RecursionError):
            return None
    if end in ("properties", "env", "conf", "ini", "cfg") or name.startswith(".env"):
        return _pairs(text, offset)
    return None


def _with_lines(tree: Any, text: str, offset: int) -> Map:
    """tomllib knows no lines: a key's line is that of its first assignment with this name."""
    lines: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1 + offset):
        found = re.match(r"\s*+\[?\[?\s*+([\w.\"'-]+)", line)
        if found:
            lines.setdefault(found[1].strip("\"'").rpartition(".")[2], number)

    def convert(node: Any, line: int) -> Any:
        if isinstance(node, dict):
            made = Map(line)
            for key, value in node.items():
                at = lines.get(key, line)
                made[key] = convert(value, at)
                made.lines[key] = at
            return made
        if isinstance(node, list):
            listed = Seq(line)
            listed.extend(convert(each, line) for each in node)
            listed.lines = [line] * len(listed)
            return listed
        return node

    made: Map = convert(tree, 1 + offset)
    return made


def _spaced(text: str, offset: int) -> Map:
    """Lines of a name and its value, as Redis and Valkey have them, of what checks ask for; a later line wins."""
    found = Map(1 + offset)
    for number, line in enumerate(text.splitlines(), start=1 + offset):
        name, _, value = line.strip().partition(" ")
        if name.startswith("maxmemory") and value:
            found[name] = value.strip().strip("\"'")
            found.lines[name] = number
    return found


def _pairs(text: str, offset: int) -> Map:
    found = Map(1 + offset)
    section = ""
    for number, line in enumerate(text.splitlines(), start=1 + offset):
        stripped = line.strip()
        if stripped.startswith("[") and stripped.endswith("]"):
            section = stripped[1:-1].strip() + "."
            continue
        if not stripped or stripped[0] in "#!;":
            continue
        pair = _PAIR.match(line)
        if pair:
            value = pair[2]
            quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
            found[section + pair[1]] = value[1:-1] if quoted else plain_or_text(value)
            found.lines[section + pair[1]] = number
    return found

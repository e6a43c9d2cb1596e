"""ENV, CMD and ENTRYPOINT of a Dockerfile's last stage, and the images it is built from. PURE."""

import json
import re
import shlex
from typing import Any

from findings.platform.model import Setting
from findings.platform.settings import plain_or_text
from findings.platform.yaml_reader import Map, Seq
from platform_risk.quantities.sourced import Place, Source, Sourced

_INSTRUCTION = re.compile(r"\s*(FROM|ENV|CMD|ENTRYPOINT|USER)\s+(.*)", re.IGNORECASE | re.DOTALL)


def read(text: str, path: str) -> tuple[Map, list[Setting]]:
    """A Map of what the last stage says (from, cmd, entrypoint, user, env) with lines, and its ENV as settings."""
    root = Map(1)
    images = Seq(1)
    env = Map(1)
    for number, line in _logical(text):
        found = _INSTRUCTION.match(line)
        if not found:
            continue
        name, rest = found[1].lower(), found[2].strip()
        if name == "from":
            images.append(rest.split()[0] if rest.split() else "")
            images.lines.append(number)
            for gone in ("cmd", "entrypoint", "user"):  # of an earlier stage
                root.pop(gone, None)
            env = Map(number)
        elif name == "env":
            for key, value in _environment(rest):
                env[key] = value
                env.lines[key] = number
        else:
            root[name] = _words(rest, number) if name != "user" else rest
            root.lines[name] = number
    root["from"], root["env"] = images, env
    root.lines |= {"from": 1, "env": env.line}
    settings = [
        Setting(key, Sourced(plain_or_text(value), Source.FILE, Place(path, env.lines[key])), path)
        for key, value in env.items()
    ]
    return root, settings


def _logical(text: str) -> list[tuple[int, str]]:
    lines: list[tuple[int, str]] = []
    pending, begun = "", 0
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith("#"):
            continue
        begun = begun or number
        if line.rstrip().endswith("\\"):
            pending += line.rstrip()[:-1] + " "
            continue
        lines.append((begun, pending + line))
        pending, begun = "", 0
    return [*lines, (begun, pending)] if pending else lines


def _environment(rest: str) -> list[tuple[str, str]]:
    try:
        words = shlex.split(rest)
    except ValueError:
        return []
    if words and "=" not in words[0]:
        return [(words[0], " ".join(words[1:]))]
    return [(name, value) for name, has, value in (word.partition("=") for word in words) if has]


def _words(rest: str, line: int) -> Seq:
    made = Seq(line)
    words: Any = None
    if rest.startswith("["):
        try:
            words = json.loads(rest)
        except (ValueError, RecursionError):
            words = None
    if not isinstance(words, list):
        try:
            words = shlex.split(rest)
        except ValueError:
            words = rest.split()
    made.extend(str(word) for word in words)
    made.lines = [line] * len(made)
    return made

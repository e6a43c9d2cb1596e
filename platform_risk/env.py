"""Typed readers of environment variables that refuse nonsense, and the table of every variable there is.

Knows no Django: `platform_risk.local` and the command line read their settings through it too. Each reader names,
types, defaults and documents its variable where the value is used, so docs/settings.md can be printed from the code
(`python -m platform_risk.env`) and a test can hold the two together.
"""

import importlib
import os
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit


class SettingError(ValueError):
    """One line: the variable, what is wrong with its value, what would be right."""


@dataclass(frozen=True, slots=True)
class Variable:
    name: str
    kind: str
    default: str
    doc: str
    secret: bool = False  # may be given as NAME_FILE, and its value is never printed


VARIABLES: dict[str, Variable] = {}

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off"})

_BYTE_UNITS = {
    "": 1,
    "B": 1,
    "KB": 1000,
    "MB": 1000**2,
    "GB": 1000**3,
    "TB": 1000**4,
    "KIB": 1024,
    "MIB": 1024**2,
    "GIB": 1024**3,
    "TIB": 1024**4,
}
_DURATION_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_NUMBER_WITH_UNIT = re.compile(r"([0-9]{1,15})\s*([A-Za-z]*)")


def _announce(variable: Variable) -> None:
    known = VARIABLES.setdefault(variable.name, variable)
    if known != variable:
        raise SettingError(f"{variable.name} is described twice, differently: keep one description in the code")


def _given(name: str) -> str | None:
    """The value, or None when unset or empty: `NAME= make run` and an empty line in a .env file mean the default."""
    return os.environ.get(name, "").strip() or None


def _refuse(name: str, value: str, wanted: str) -> SettingError:
    return SettingError(f"{name}={value!r} is not {wanted}")


def env_str(name: str, default: str, doc: str) -> str:
    _announce(Variable(name, "text", default or "–", doc))
    return _given(name) or default


def env_list(name: str, default: Sequence[str], doc: str) -> list[str]:
    _announce(Variable(name, "comma-separated list", ",".join(default) or "–", doc))
    value = _given(name)
    return list(default) if value is None else [part.strip() for part in value.split(",") if part.strip()]


def env_bool(name: str, doc: str, *, default: bool) -> bool:
    _announce(Variable(name, "0 or 1", "1" if default else "0", doc))
    value = _given(name)
    if value is None:
        return default
    if value.lower() in TRUE:
        return True
    if value.lower() in FALSE:
        return False
    raise _refuse(name, value, "a yes or no: write 1 or 0")


def env_int(
    name: str, default: int, doc: str, *, minimum: int = 0, maximum: int = 2**31 - 1, shown: str | None = None
) -> int:
    kind = f"whole number, {minimum} to {maximum}" if maximum < 2**31 - 1 else f"whole number, from {minimum}"
    _announce(Variable(name, kind, shown or str(default), doc))
    value = _given(name)
    if value is None:
        return default
    wanted = f"a whole number from {minimum} to {maximum}"
    if not re.fullmatch(r"-?[0-9]{1,18}", value):
        raise _refuse(name, value, wanted)
    if not minimum <= int(value) <= maximum:
        raise _refuse(name, value, wanted)
    return int(value)


def env_choice(name: str, default: str, choices: Sequence[str], doc: str) -> str:
    _announce(Variable(name, f"one of {', '.join(choices)}", default, doc))
    value = _given(name)
    if value is None:
        return default
    if value not in choices:
        raise _refuse(name, value, f"one of {', '.join(choices)}")
    return value


def parse_bytes(text: str) -> int | None:
    match = _NUMBER_WITH_UNIT.fullmatch(text.strip())
    unit = _BYTE_UNITS.get(match[2].upper()) if match else None
    return int(match[1]) * unit if match and unit else None


def env_bytes(name: str, default: str | int, doc: str, *, minimum: int = 1) -> int:
    """`500MB` is decimal, `2GiB` binary, a bare number bytes. An int as default is another variable's value."""
    shown = default if isinstance(default, str) else "as above"
    _announce(Variable(name, "bytes: 500MB, 2GiB", shown, doc))
    value = _given(name)
    size = parse_bytes(str(default) if value is None else value)
    if size is None:
        raise _refuse(name, str(value), "a size: write bytes, or a number with KB, MB, GB, KiB, MiB, GiB")
    if size < minimum:
        raise _refuse(name, str(value), f"a size of at least {minimum} bytes")
    return size


def parse_duration(text: str) -> int | None:
    match = _NUMBER_WITH_UNIT.fullmatch(text.strip())
    unit = _DURATION_UNITS.get(match[2].lower()) if match else None
    return int(match[1]) * unit if match and unit else None


def env_duration(name: str, default: str, doc: str, *, minimum: int = 1) -> int:
    """Seconds; `30`, `90s`, `15m`, `2h`, `30d`."""
    _announce(Variable(name, "duration: 30s, 15m, 2h, 30d", default, doc))
    value = _given(name)
    seconds = parse_duration(value or default)
    if seconds is None:
        raise _refuse(name, str(value), "a duration: write seconds, or a number with s, m, h, d or w")
    if seconds < minimum:
        raise _refuse(name, str(value), f"a duration of at least {minimum} s")
    return seconds


def env_path(name: str, default: Path, shown: str, doc: str) -> Path:
    _announce(Variable(name, "folder", shown, doc))
    value = _given(name)
    return (Path(value).expanduser() if value else default).absolute()


def secret_value(name: str) -> str | None:
    """NAME, or the first line of the file that NAME_FILE names (how orchestrators hand secrets over)."""
    value, file_name = _given(name), _given(f"{name}_FILE")
    if value and file_name:
        raise SettingError(f"{name} and {name}_FILE are both set: unset one of them")
    if not file_name:
        return value
    try:
        lines = Path(file_name).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"{name}_FILE={file_name!r} cannot be read: {error}") from error
    if not lines or not lines[0].strip():
        raise SettingError(f"{name}_FILE={file_name!r} is empty: its first line must hold the value")
    return lines[0].strip()


def env_secret(
    name: str, doc: str, *, shown: str = "–", default: Callable[[], str | None] = lambda: None
) -> str | None:
    _announce(Variable(name, "secret", shown, doc, secret=True))
    value = secret_value(name)
    return default() if value is None else value


def env_url(name: str, schemes: Sequence[str], doc: str, *, shown: str) -> str | None:
    """A server's address. A secret: it may carry a password, so a complaint names the variable and not its value."""
    _announce(Variable(name, f"address: {', '.join(f'{scheme}://' for scheme in schemes)}", shown, doc, secret=True))
    value = secret_value(name)
    if value is not None:
        checked_url(name, value, schemes)
    return value


def checked_url(name: str, value: str, schemes: Sequence[str]) -> SplitResult:
    wanted = " or ".join(f"{scheme}://" for scheme in schemes)
    try:
        parts = urlsplit(value)
        _ = parts.port  # parsed on access: a port of letters or over 65535 raises here
    except ValueError as error:
        raise SettingError(f"{name} cannot be read as an address: {error}") from error
    if parts.scheme not in schemes:
        raise SettingError(f"{name} must start with {wanted}, not {parts.scheme or 'nothing'}")
    return parts


def kept_secret(path: Path) -> str:
    """A random value made once and kept in a file only its owner may read.

    The file appears whole or not at all: several processes may start at once on a new data folder, and all must read
    the value of the one that came first.
    """
    if not path.exists():
        draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(50) + "\n")
            try:
                os.link(draft, path)
            except FileExistsError:
                pass  # another process was first: its value counts
            finally:
                draft.unlink()
        except OSError as error:
            raise SettingError(
                f"cannot write {path}: {error.strerror}: make the folder writable, or set PLATFORM_RISK_DATA to another"
            ) from error
    try:
        value = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"cannot read {path}: {error}: remove it to have a new one made") from error
    if len(value) < 32:
        raise SettingError(f"{path} holds no usable secret: remove it to have a new one made")
    return value


def unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """Names that look like ours and mean nothing here: most often a typing error that would go unnoticed."""
    known = set(VARIABLES) | {f"{name}_FILE" for name, variable in VARIABLES.items() if variable.secret}
    return sorted(name for name in environ if name.startswith("PLATFORM_RISK_") and name not in known)


def table() -> str:
    """docs/settings.md's table: one row a variable, in the order in which the settings read them."""
    lines = ["| Variable | Value | Default | What it does |", "| --- | --- | --- | --- |"]
    for variable in VARIABLES.values():
        kind = variable.kind + (" (or `_FILE`)" if variable.secret else "")
        default = f"`{variable.default}`" if variable.default != "–" else "–"
        lines.append(f"| `{variable.name}` | {kind} | {default} | {variable.doc} |")
    return "\n".join(lines)


if __name__ == "__main__":
    # The settings import this module by its name; run as a script it is another copy, whose registry stays empty.
    importlib.import_module("platform_risk.settings")
    print(importlib.import_module("platform_risk.env").table())  # noqa: T201  its purpose

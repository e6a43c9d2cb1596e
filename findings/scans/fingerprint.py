"""What makes two results the same finding: what stays when a line moves or the tool is upgraded. PURE.

The tool's own stable fingerprint where it has one; otherwise rule, path, and the resource, symbol or code it is about,
with image and package. Never the line, the tool's version or the numbers in a message. Results that agree in all of
that and stand at different lines are told apart by their order in the report (scanners report a file from top to
bottom); at the same line they are duplicates, which the load collapses. The price: when the first of several that
nothing else tells apart is fixed, it is the last of them that closes.
"""

import re
from hashlib import blake2b

# Raise it when what goes into a fingerprint changes: every finding is then a new one.
FINGERPRINT_VERSION = 1

_CONTEXT = 1_000  # characters of code that count: enough to tell places apart, and cheap
_SPACE = re.compile(r"\s+")
_DIGITS = re.compile(r"\d+")
_PREFIX = f"{FINGERPRINT_VERSION}\x1f"
# A fingerprint is one token. Semgrep without an account says "requires login" for every result: that is none.
_OWN = re.compile(r"[\w+/=:.@~-]{8,300}\Z")


def of(*parts: str) -> str:
    """32 hexadecimal digits over the parts; a separator that no part can hold keeps them apart."""
    return blake2b((_PREFIX + "\x1f".join(parts)).encode("utf-8", "replace"), digest_size=16).hexdigest()


def code(excerpt: str) -> str:
    """Code as context: how it is indented and broken into lines does not count."""
    return " ".join(excerpt[:_CONTEXT].split())


def words(message: str) -> str:
    """A message as the last resort: without its numbers, which change from run to run."""
    return _DIGITS.sub("#", _SPACE.sub(" ", message[:_CONTEXT])).strip()


def own(stated: dict[str, str]) -> str:
    """The tool's own: of several, the highest version (`name/v2` before `name/v1`), then the first name."""
    usable = [(key, value) for key, value in stated.items() if _OWN.match(value)]
    if not usable:
        return ""
    if len(usable) == 1:
        return "=".join(usable[0])
    newest: tuple[str, str] = min(usable, key=_newest_first)
    return "=".join(newest)


def _newest_first(pair: tuple[str, str]) -> tuple[int, str]:
    _, _, version = pair[0].rpartition("/v")
    return (-int(version) if version.isdecimal() and len(version) < 6 else 0, pair[0])


class Occurrences:
    """Tells equal results at different lines of one report apart, by order of appearance.

    One small entry per fingerprint: a report of 100,000 results must not cost 100,000 dictionaries.
    """

    def __init__(self) -> None:
        self._first: dict[str, int | None] = {}
        self._others: dict[str, dict[int | None, int]] = {}

    def of(self, fingerprint: str, line: int | None) -> str:
        if self._first.setdefault(fingerprint, line) == line:
            return fingerprint
        others = self._others.setdefault(fingerprint, {})
        return of(fingerprint, str(others.setdefault(line, len(others) + 1)))

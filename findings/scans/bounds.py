"""What a report may say, cut to what can be stored and shown. PURE.

Reports are hostile input: NUL and lone surrogates would make PostgreSQL refuse the whole load, a right-to-left override
would disguise a path, and a value of megabytes would not fit an index.
"""

import re
from urllib.parse import unquote

TITLE, MESSAGE, PATH, RULE, NAME, HELP, EXCERPT = 500, 10_000, 1_000, 200, 500, 4_000, 4_000
NAMESPACE, PACKAGE, VERSION = 253, 300, 100
MOST_RELATED, MOST_IDENTIFIERS, MOST_TAGS = 50, 50, 30
MOST_INT = 2_147_483_647

# Control characters but tab and newline; surrogates; the directional overrides and isolates of Unicode (UAX #9).
_BAD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufeff\u2028\u2029]")
_SPACE = re.compile(r"\s+")
# A scheme stands first and (but for file:) before a slash: `alpine:3.9` and `src/a:b.py` have none.
_SCHEME = re.compile(r"(?:file:|[a-zA-Z][a-zA-Z0-9+.-]+:(?=/))(?://[^/]*)?", re.IGNORECASE)
_UNTIDY = re.compile(r"(?:^|/)\.{0,2}(?:/|$)")
_LONGEST_TORN = 200
_TOKEN = re.compile(r"[A-Za-z0-9+/=_.~:@%-]+\Z")
_WORD = re.compile(r"[A-Za-z0-9+=_.~%-]+\Z")
_LINK = re.compile(r"https?://[^\s\"'<>]+\Z", re.IGNORECASE)


def text(value: object, longest: int) -> str:
    """Anything as text that can be stored: bad characters become U+FFFD, what is too long says how much is cut."""
    if not isinstance(value, str):
        if value is None or isinstance(value, dict | list):
            return ""
        value = str(value)
    if len(value) > longest:
        value = _cut(value, longest)
    if not value.isascii() or not value.isprintable():
        value = _BAD.sub("\ufffd", value.replace("\r\n", "\n").replace("\r", "\n"))
    return value


def _cut(value: str, longest: int) -> str:
    """Says how much is gone, within the length: the note's own length counts, so it is counted with room to spare."""
    kept = max(0, longest - len(f" … ({len(value)} characters cut)"))
    # Half a token is not recognised as the secret it is half of: one that the cut would tear goes whole.
    for token in (_TOKEN, _WORD):
        # What stands right after the cut belongs to the token as well, or it was not torn.
        torn = token.search(value, max(0, kept - _LONGEST_TORN), kept) if token.match(value, kept, kept + 1) else None
        if torn is not None and torn.start() > 0 and kept - torn.start() < _LONGEST_TORN:
            kept = torn.start()
            break
    return f"{value[:kept]} … ({len(value) - kept} characters cut)"


def line(value: object, longest: int) -> str:
    """As text, on one line."""
    cleaned = text(value, longest)
    return (cleaned if cleaned.isprintable() and "  " not in cleaned else _SPACE.sub(" ", cleaned)).strip()


def number(value: object) -> int | None:
    """A line number that fits the column, or None."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= MOST_INT:
        return None
    return value


def link(value: object) -> str:
    """http and https only: a report must not be able to place a script behind a link."""
    cleaned = line(value, 1_000)
    return cleaned if _LINK.match(cleaned) else ""


def uri(value: str) -> str:
    """A URI's path, as `path` spells it: percent-decoded, without scheme and host."""
    cleaned = line(value, PATH * 2)
    if "%" in cleaned:
        cleaned = line(unquote(cleaned), PATH * 2)
    scheme = _SCHEME.match(cleaned)
    return path(cleaned[scheme.end() :] if scheme else cleaned)


def path(value: object) -> str:
    """A path in one spelling: forward slashes, no `./`, no leading slash, `..` resolved (never above the root)."""
    cleaned = line(value, PATH * 2).replace("\\", "/")
    if not _UNTIDY.search(cleaned):
        return cleaned if len(cleaned) <= PATH else path(cleaned[:PATH])  # the cut may end in a slash or in `..`
    parts: list[str] = []
    for part in cleaned.split("/"):
        if part == "..":
            if parts:
                parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    tidy = "/".join(parts)
    return tidy if len(tidy) <= PATH else path(tidy[:PATH])


_IDENTIFIER = re.compile(
    r"(?<![A-Za-z0-9])(?:CVE-\d{4}-\d{4,9}|GHSA(?:-[0-9a-z]{4}){3}|CWE-\d{1,5}|RUSTSEC-\d{4}-\d{4}|PYSEC-\d{4}-\d{1,9})(?!\w)",
    re.IGNORECASE,
)


def identifiers(*texts: str) -> tuple[str, ...]:
    """CVE, GHSA, CWE … named in the texts, in upper case (GHSA's letters stay), each once."""
    found: dict[str, None] = {}
    for value in texts:
        if "-" in value:
            for match in _IDENTIFIER.findall(value):
                # GHSA's letters are lower case by definition; CWE-079 and CWE-79 are one.
                known = "GHSA" + match[4:].lower() if match[:4].upper() == "GHSA" else match.upper()
                found[re.sub(r"^CWE-0+(?=\d)", "CWE-", known)] = None
    return tuple(found)[:MOST_IDENTIFIERS]

"""Secrets out of text before it is stored, logged or shown. PURE.

Each is replaced by `[redacted KIND hash]`, the first eight digits of a salted HMAC: the same secret in two places is
recognised as the same, and nothing can be tried against it without the salt. References to secrets (`${VAR}`,
`secretKeyRef`, `var.password`, a mounted file) say where a secret is, not what it is, and stay.

Every pattern has bounded repeats and a literal to begin with, so time grows with the text and not faster. Texts that
hold none of the literals, which are nearly all, cost one scan.
"""

import hmac
import re
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256

_B64 = r"A-Za-z0-9+/"
# Where a word begins. In raw JSON the n of `\n` stands right before it.
_START = r"(?:(?<!\w)|(?<=\\[nrt]))"
# Secrets that are known by their own form, wherever they stand: kind, what each of them holds (any of these, in lower
# case), form.
_BY_FORM: tuple[tuple[str, tuple[str, ...], re.Pattern[str]], ...] = (
    (
        "private-key",
        ("private key",),
        re.compile(
            r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----"
            r"(?:(?!-----(?:END|BEGIN)).){0,20000}(?:-----END (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----)?",
            re.DOTALL,
        ),
    ),
    (
        "jwt",
        ("eyj",),
        re.compile(_START + r"eyJ[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{4,8000}(?:\.[A-Za-z0-9_-]{0,4000})?"),
    ),
    ("aws-key-id", ("akia", "asia"), re.compile(_START + r"(?:AKIA|ASIA)[A-Z0-9]{16}\b")),
    (
        "github",
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
        re.compile(_START + r"(?:gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_[A-Za-z0-9_]{20,255})"),
    ),
    (
        "gitlab",
        ("glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glagent-"),
        re.compile(_START + r"gl(?:pat|dt|rt|cbt|ptt|agent)-[A-Za-z0-9_-]{16,255}"),
    ),
    ("slack", ("xox",), re.compile(_START + r"xox[abeoprs]-[A-Za-z0-9-]{8,255}")),
    ("slack-webhook", ("hooks.slack",), re.compile(r"hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/_-]{10,200}")),
    (
        "stripe-key",
        ("k_live_", "k_test_", "whsec_"),
        re.compile(_START + r"(?:[rs]k_(?:live|test)|whsec)_[A-Za-z0-9]{10,255}"),
    ),
    ("npm", ("npm_",), re.compile(_START + r"npm_[A-Za-z0-9]{30,255}")),
    ("pypi", ("pypi-",), re.compile(_START + r"pypi-[A-Za-z0-9_-]{20,1000}")),
    (
        "google-key",
        ("aiza", "ya29."),
        re.compile(_START + r"AIza[A-Za-z0-9_-]{30,60}|(?<!\w)ya29\.[A-Za-z0-9_-]{20,1000}"),
    ),
    ("openai-key", ("sk-",), re.compile(_START + r"sk-[A-Za-z0-9_-]{20,255}")),
    (
        "vault",
        ("hvs.", "hvb.", "hvr.", "s."),
        re.compile(_START + r"hv[sbr]\.[A-Za-z0-9_-]{20,500}|(?<![\w.])s\.[A-Za-z0-9]{24}(?![\w.])"),
    ),
    ("sendgrid-key", ("sg.",), re.compile(_START + r"SG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,128}")),
    ("digitalocean", ("_v1_",), re.compile(_START + r"do[opr]_v1_[a-f0-9]{32,128}")),
    ("docker", ("dckr_pat_",), re.compile(_START + r"dckr_pat_[A-Za-z0-9_-]{16,255}")),
    # Hugging Face, Shopify, Grafana, Linear, Sentry, PlanetScale, Databricks, New Relic, Postman, Atlassian
    (
        "token",
        ("hf_", "shpat_", "glsa_", "lin_api_", "sntrys_", "pscale_", "dapi", "nrak-", "pmak-", "atatt3"),
        re.compile(
            _START + r"(?:hf_[A-Za-z0-9]{30,60}|shpat_[a-f0-9]{32}|glsa_[A-Za-z0-9_]{32,60}|lin_api_[A-Za-z0-9]{32,60}"
            r"|sntrys_[A-Za-z0-9+/=_-]{40,500}|pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_=.-]{30,80}|dapi[a-f0-9]{32}"
            r"|NRAK-[A-Z0-9]{27}|PMAK-[a-f0-9]{24}-[a-f0-9]{34}|ATATT3[A-Za-z0-9_=-]{60,300})"
        ),
    ),
    # A private key once more in Base64, as a Kubernetes secret holds it: "-----BEGIN " and P, R, E, D or O.
    (
        "private-key",
        ("ls0tls1crudj",),
        re.compile(
            _START + rf"LS0tLS1CRUdJTiB[QSFEP][{_B64}]{{20,20000}}(?:\s{{1,40}}[{_B64}]{{40,200}}){{0,200}}={{0,2}}"
        ),
    ),
    ("age-key", ("age-secret-key-",), re.compile(_START + r"AGE-SECRET-KEY-1[A-Z0-9]{40,80}")),
    (
        "azure-key",
        ("accountkey=", "sharedaccesskey="),
        re.compile(rf"(?<=AccountKey=)[{_B64}]{{20,200}}={{0,2}}|(?<=SharedAccessKey=)[{_B64}]{{20,200}}={{0,2}}"),
    ),
    (
        "signature",
        ("sig=", "signature="),
        re.compile(r"(?<=[?&]sig=)[A-Za-z0-9%+/=_-]{10,200}|(?<=[?&]X-Amz-Signature=)[a-f0-9]{32,128}"),
    ),
)
# Secrets that are known by what stands before them; the last group is the secret.
# The last @ ends the password: some hold one of their own. A path has one slash where a URL has two.
_URL = re.compile(r"(?<=:/)(/?[^\s:/@\"'<>\[\]]{0,200}):([^\s/\"'<>\[\]]{1,500})(?=@)")
# "Basic authentication" is no credential: a word has no digit and no capital within.
_HEADER = re.compile(
    "(" + _START + r"(?:bearer|basic|token|apikey)[ \t]{1,4})(?-i:(?=[A-Za-z0-9._~+/-]{1,3000}[0-9+=~A-Z]))"
    r"([A-Za-z0-9._~+/-]{12,3000}={0,2})",
    re.IGNORECASE,
)
_NAME = (
    r"(?:pass(?:word|wd|phrase|code)?|pwd|secret(?:[-_]?(?:access)?[-_]?key)?|token|api[-_ ]?key"
    r"|(?:access|account|private|shared|encryption|signing|master|session|client)[-_]?key|credentials?"
    r"|client[-_]?secret|_?auth(?:[-_]?token)?)"
)
# Quoted, quoted within a quoted text (a part of raw JSON), or bare.
_VALUE = (
    r"(\\{1,3}\"(?:(?!\\{0,3}\").){1,2000}\\{1,3}\"|\"(?:[^\"\\\n]|\\.){1,2000}\"|'[^'\n]{1,2000}'|`[^`\n]{1,2000}`"
    r"|[^\s\"'`,;}\])&|<>]{1,2000})"
)
_BLANK = r"[ \t]{0,20}"
# name, then `:`, `=` or `=>`: password: x, "api_key": "x", DB_PASSWORD="x", clientSecret = x. The name stands
# alone, after a separator, or where camel case begins a word: a compass is no password.
_ASSIGNED = re.compile(
    r"((?:(?<![A-Za-z])|(?<=\\[nrt])|(?-i:(?<=[a-z0-9])(?=[A-Z])))" + _NAME
    + r"(?:[-_]?(?:value|data|text|string|base64|base|b64|prod|dev|[0-9]{1,3}))?(?![A-Za-z0-9])"
    + r"[\\\"'\]]{0,4}" + _BLANK + r"(?:=>|:=|[:=])" + _BLANK + r"(?:!!str[ \t]{1,4})?)(?!\[redacted )" + _VALUE,
    re.IGNORECASE,
)  # fmt: skip
# On a command line a blank stands between: --token x. The dash within vault-token begins no option.
_OPTION = re.compile(
    r"((?:(?<![\w.-])|(?<=\\[nrt]))--?(?:[A-Za-z0-9]{1,40}-){0,4}" + _NAME + r"[ \t]{1,4})(?!-|\[redacted )"
    r"(\"[^\"\n]{1,500}\"|'[^'\n]{1,500}'|[^\s\"']{1,500})",
    re.IGNORECASE,
)  # fmt: skip
# SQL: IDENTIFIED BY 'x', WITH PASSWORD 'x'. netrc: login x password x. curl: -u name:x. XML: <password>x</password>.
_SQL = re.compile("(" + _START + r"(?:password|identified by)[ \t]{1,4})('[^'\n]{1,500}')", re.IGNORECASE)
_NETRC = re.compile(
    "(" + _START + r"login[ \t]{1,4}\S{1,200}\s{1,20}password[ \t]{1,4})(?!\[redacted )(\S{1,500})", re.IGNORECASE
)
_CURL = re.compile(r"((?:\s-u|--user)[ =]{1,4}[\"']?[^\s:\"']{1,200}:)(?!\[redacted )([^\s\"']{1,500})")
_ELEMENT = re.compile(
    r"(<(?:[A-Za-z0-9]{1,40}[-_.:]){0,4}" + _NAME + r">)(?!\[redacted )([^<]{1,2000})(?=</)", re.IGNORECASE
)
# Kubernetes: `- name: DB_PASSWORD` with its `value:` on the next line (or in JSON: in the same object).
_PAIR = re.compile(
    "(" + _START + r"name[\\\"']{0,4}[ \t]{0,4}[:=][ \t]{0,4}[\\\"']{0,4}[A-Za-z0-9_.-]{0,60}?" + _NAME
    + r"[A-Za-z0-9_.-]{0,20}[\\\"']{0,4}[ \t]{0,4},?(?:\s|\\{1,3}[nrt]){1,60}[\\\"']{0,4}value[\\\"']{0,4}"
    + r"[ \t]{0,4}[:=][ \t]{0,4})(?!\[redacted )"
    + _VALUE,
    re.IGNORECASE,
)  # fmt: skip

# Each with what a text must hold (any of these, in lower case) for it to find anything.
_NAMES = ("pass", "pwd", "secret", "token", "key", "credential", "auth")
_OPTIONS = (
    "-pass", "-pwd", "-secret", "-token", "-api", "-access", "-account", "-private", "-shared", "-encryption",
    "-signing", "-master", "-session", "-client", "-credential", "-auth", "-_auth",
)  # fmt: skip
_AFTER_NAME: tuple[tuple[tuple[str, ...], re.Pattern[str]], ...] = (
    (("bearer", "basic ", "basic\t", "token ", "token\t", "apikey"), _HEADER),
    (("value",), _PAIR),
    (_NAMES, _ASSIGNED),
    (_OPTIONS, _OPTION),
    (("</",), _ELEMENT),
    (("password", "identified by"), _SQL),
    (("login",), _NETRC),
    (("-u ", "-u=", "--user"), _CURL),
)
# A name and what assigns to it, roughly: _ASSIGNED is tried at every letter of a text, this one is quick to say no.
_MAY_ASSIGN = re.compile(
    r"(?:pass|pwd|secret|token|key|credential|auth)[a-z0-9_-]{0,24}[\\\"'\]]{0,4}[ \t]{0,20}[:=]", re.IGNORECASE
)
# A text that holds none of these, in whatever case, holds nothing that the patterns could find. Substrings, not one
# expression: measured 25 µs a kilobyte against 330.
HINTS = (
    ":/", "-u ", "-u=", "--user", "basic", "bearer", "identified by", *_NAMES,
    *dict.fromkeys(hint for _, hints, _ in _BY_FORM for hint in hints),
)  # fmt: skip

# What stands where a secret could stand but only says where it is, or that there is none.
_REFERENCE = re.compile(
    r"\$[{(A-Za-z_]|\{\{|<[^>]*>$|(?:var|local|data|module|env|os)\.|process\.env|secrets?\.|vault[:.]|ref[+:]|arn:"
    # A path: Base64 that begins with a slash has capitals before the next one.
    r"|(?-i:/(?:[a-z0-9_.@-]{1,60}/)+[\w.@-]{1,60}$|/[a-z0-9_.-]{1,60}$)"
    r"|(?:null|none|nil|true|false|yes|no|required|optional|string|str|int|bool|changeme|redacted|example)$"
    r"|(?:x{3,}|\*{3,}|\.{3,})$|secretKeyRef|valueFrom|\[redacted |[A-Za-z_.]+\("
    r"|[A-Za-z_.]*(?:secret|password|token|key)[A-Za-z_.]*(?:Ref|Name|_name|_ref|_file|_path|_arn|_id)$",
    re.IGNORECASE,
)

_QUOTES = ('\\\\\\"', '\\\\"', '\\"', '"', "'", "`")


def _holds(text: str, hints: tuple[str, ...]) -> bool:
    return any(map(text.__contains__, hints))


@lru_cache(maxsize=1000)
def _of_forms(present: tuple[str, ...]) -> tuple[tuple[str, tuple[str, ...], re.Pattern[str]], ...]:
    """The forms that a text with these hints may hold."""
    return tuple(each for each in _BY_FORM if not set(each[1]).isdisjoint(present))


_MARK = re.compile(r"(\[redacted [a-z-]{1,40}) [0-9a-f]{8}\]")


def unsalted(text: str) -> str:
    """What every installation has of a redacted text: the marks without the digits that its own salt gives."""
    return _MARK.sub(r"\1]", text)


class Redactor:
    """Replaces secrets in texts; the same salt gives the same replacement, wherever it runs."""

    def __init__(self, salt: bytes) -> None:
        self._salt = salt

    def _mark(self, kind: str, secret: str) -> str:
        digest = hmac.new(self._salt, secret.encode("utf-8", "replace"), sha256).hexdigest()
        return f"[redacted {kind} {digest[:8]}]"

    def text(self, value: str) -> str:
        """The text without its secrets. Idempotent; a text that holds none comes back as it is."""
        lower = value.lower()
        present = tuple(hint for hint in HINTS if hint in lower) if lower else ()
        return self._without(value, lower, present) if present else value

    def _without(self, value: str, lower: str, present: tuple[str, ...]) -> str:
        """`present`: the hints that it may hold, and no others."""
        for kind, hints, pattern in _of_forms(present):
            if _holds(lower, hints):
                value = pattern.sub(self._by_form(kind), value)
        if ":/" in value and "@" in value:
            value = _URL.sub(lambda match: f"{match[1]}:{self._once('password', match[2])}", value)
        for hints, pattern in _AFTER_NAME:
            if _holds(lower, hints) and (pattern is not _ASSIGNED or _MAY_ASSIGN.search(value)):
                value = pattern.sub(self._after_name, value)
        return value

    def texts(self, *values: str) -> tuple[str, ...]:
        """Many texts at once, each as `text` would give it: what none of them holds is looked for once."""
        joined = "\n".join(values).lower()
        present = tuple(hint for hint in HINTS if hint in joined)
        if not present:
            return values
        cleaned = []
        for value in values:
            lower = value.lower()
            cleaned.append(self._without(value, lower, present) if _holds(lower, present) else value)
        return tuple(cleaned)

    def _by_form(self, kind: str) -> Callable[[re.Match[str]], str]:
        return lambda match: self._mark(kind, match[0])

    def _after_name(self, match: re.Match[str]) -> str:
        before, stated = match[1], match[2]
        quote = next((quote for quote in _QUOTES if stated.startswith(quote) and stated.endswith(quote)), "")
        quote = quote if len(stated) > 2 * len(quote) else ""
        secret = stated[len(quote) : len(stated) - len(quote)]
        return f"{before}{quote}{self._once('secret', secret)}{quote}"

    def _once(self, kind: str, secret: str) -> str:
        if not secret.strip() or _REFERENCE.match(secret):
            return secret
        return self._mark(kind, secret)

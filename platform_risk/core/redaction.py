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
from hashlib import sha256

# A text that holds none of these, in whatever case, holds nothing that the patterns below could find. Substrings, not
# one expression: measured 25 µs a kilobyte against 330.
_HINTS = (
    "pass", "pwd", "secret", "token", "api", "key", "sig=", "signature=", "credential", "auth", "bearer", "basic ",
    ":/", "akia", "asia", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "xox", "glpat-", "gldt-", "glrt-",
    "glcbt-", "glptt-", "glagent-", "hooks.slack", "k_live_", "k_test_", "whsec_", "npm_", "pypi-", "aiza", "ya29.",
    "sk-", "hvs.", "hvb.", "hvr.", "s.", "eyj", "sg.", "_v1_", "dckr_pat_", "ls0tls1crudj", "hf_", "shpat_", "glsa_",
    "lin_api_", "sntrys_", "pscale_", "dapi", "nrak-", "pmak-", "atatt3", "identified by", "-u ",
)  # fmt: skip

_B64 = r"A-Za-z0-9+/"
# Where a word begins. In raw JSON the n of `\n` stands right before it.
_START = r"(?:(?<!\w)|(?<=\\[nrt]))"
# Secrets that are known by their own form, wherever they stand.
_BY_FORM: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "private-key",
        re.compile(
            r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----"
            r"(?:(?!-----(?:END|BEGIN)).){0,20000}(?:-----END (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----)?",
            re.DOTALL,
        ),
    ),
    ("jwt", re.compile(_START + r"eyJ[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{4,8000}(?:\.[A-Za-z0-9_-]{0,4000})?")),
    ("aws-key-id", re.compile(_START + r"(?:AKIA|ASIA)[A-Z0-9]{16}\b")),
    ("github", re.compile(_START + r"(?:gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_[A-Za-z0-9_]{20,255})")),
    ("gitlab", re.compile(_START + r"gl(?:pat|dt|rt|cbt|ptt|agent)-[A-Za-z0-9_-]{16,255}")),
    ("slack", re.compile(_START + r"xox[abeoprs]-[A-Za-z0-9-]{8,255}")),
    ("slack-webhook", re.compile(r"hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/_-]{10,200}")),
    ("stripe-key", re.compile(_START + r"(?:[rs]k_(?:live|test)|whsec)_[A-Za-z0-9]{10,255}")),
    ("npm", re.compile(_START + r"npm_[A-Za-z0-9]{30,255}")),
    ("pypi", re.compile(_START + r"pypi-[A-Za-z0-9_-]{20,1000}")),
    ("google-key", re.compile(_START + r"AIza[A-Za-z0-9_-]{30,60}|(?<!\w)ya29\.[A-Za-z0-9_-]{20,1000}")),
    ("openai-key", re.compile(_START + r"sk-[A-Za-z0-9_-]{20,255}")),
    ("vault", re.compile(_START + r"hv[sbr]\.[A-Za-z0-9_-]{20,500}|(?<![\w.])s\.[A-Za-z0-9]{24}(?![\w.])")),
    ("sendgrid-key", re.compile(_START + r"SG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,128}")),
    ("digitalocean", re.compile(_START + r"do[opr]_v1_[a-f0-9]{32,128}")),
    ("docker", re.compile(_START + r"dckr_pat_[A-Za-z0-9_-]{16,255}")),
    # Hugging Face, Shopify, Grafana, Linear, Sentry, PlanetScale, Databricks, New Relic, Postman, Atlassian
    (
        "token",
        re.compile(
            _START + r"(?:hf_[A-Za-z0-9]{30,60}|shpat_[a-f0-9]{32}|glsa_[A-Za-z0-9_]{32,60}|lin_api_[A-Za-z0-9]{32,60}"
            r"|sntrys_[A-Za-z0-9+/=_-]{40,500}|pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_=.-]{30,80}|dapi[a-f0-9]{32}"
            r"|NRAK-[A-Z0-9]{27}|PMAK-[a-f0-9]{24}-[a-f0-9]{34}|ATATT3[A-Za-z0-9_=-]{60,300})"
        ),
    ),
    # A private key once more in Base64, as a Kubernetes secret holds it: "-----BEGIN " and P, R, E, D or O.
    (
        "private-key",
        re.compile(
            _START + rf"LS0tLS1CRUdJTiB[QSFEP][{_B64}]{{20,20000}}(?:\s{{1,40}}[{_B64}]{{40,200}}){{0,200}}={{0,2}}"
        ),
    ),
    ("age-key", re.compile(_START + r"AGE-SECRET-KEY-1[A-Z0-9]{40,80}")),
    (
        "azure-key",
        re.compile(rf"(?<=AccountKey=)[{_B64}]{{20,200}}={{0,2}}|(?<=SharedAccessKey=)[{_B64}]{{20,200}}={{0,2}}"),
    ),
    ("signature", re.compile(r"(?<=[?&]sig=)[A-Za-z0-9%+/=_-]{10,200}|(?<=[?&]X-Amz-Signature=)[a-f0-9]{32,128}")),
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
# On a command line a blank stands between: --token x.
_OPTION = re.compile(
    r"(--?(?:[A-Za-z0-9]{1,40}-){0,4}" + _NAME + r"[ \t]{1,4})(?!-|\[redacted )"
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
        if not any(hint in lower for hint in _HINTS):
            return value
        for kind, pattern in _BY_FORM:
            value = pattern.sub(self._by_form(kind), value)
        value = _URL.sub(lambda match: f"{match[1]}:{self._once('password', match[2])}", value)
        for pattern in (_HEADER, _PAIR, _ASSIGNED, _OPTION, _ELEMENT, _SQL, _NETRC, _CURL):
            value = pattern.sub(self._after_name, value)
        return value

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

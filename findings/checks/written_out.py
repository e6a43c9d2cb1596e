"""Passwords that stand in a file: which values are credentials, and which only say where one is. PURE."""

import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from findings.platform import kubernetes
from findings.platform.model import Platform, Resource, normal
from findings.platform.nodes import mapping
from findings.platform.patterns import of_names
from findings.platform.settings import flat, parsed
from findings.platform.yaml_reader import Map
from platform_risk.core.redaction import Redactor
from platform_risk.quantities.sourced import Place

_PASSWORD = of_names(
    r"(?:.*_)?(?:password|passwd|passphrase|client_secret|secret_access_key|requirepass"
    r"|(?:db|database|user|admin|root|redis|mysql|postgres|mongo|rabbitmq|smtp|mail)(?:_default)?_pass)|.+_pwd"
    r"|pgpassword"
    # Users and clients that Keycloak and Dex are begun with.
    r"|(?:.*_)?credentials_[0-9]+_value|(?:.*_)?clients_[0-9]+_secret"
)
# A switch, a link or a text about passwords: allow_empty_password, reset_password.
_ABOUT = re.compile(
    r"(?:.*_)?(?:allow|ask|change|disable|enable|expire|forgot|forgotten|generate|hide|prompt|random|remember|require"
    r"|required|reset|save|show|weak)_(?:.*_)?(?:password|passwd|pwd)"
)
# Within a text: a connection string of .NET or Java, the query of a URL, a login of Kafka; a key of Azure; a user that
# SQL makes; a user of Redis. The last group is the credential.
_WITHIN = (
    re.compile(
        r"(?:^|[;,?&\s])(?:password|pwd)\s?=\s?(?:\"([^\"]{1,200})\"|'([^']{1,200})'|([^;,&\s\"']{1,200}))", re.I
    ),
    re.compile(r"(?:AccountKey|SharedAccessKey)=([A-Za-z0-9+/]{20,200}={0,2})"),
)
_BY_SQL = re.compile(
    r"(?:(?:create|alter)\s+(?:user|role)|grant)\s[^;]{1,200}?"
    r"(?:password|identified\s+(?:with\s+\S{1,60}\s+)?by)\s+(?:as\s+)?'([^']{1,200})'",
    re.I,
)
_OF_REDIS = re.compile(
    r"\s*user\s+\S{1,200}(?=.{0,500}\s[~+&])(?:\s+(?:on|off|reset\w*|all\w+|[~&+%#<(-]\S{1,200}))*\s+>(\S{1,200})"
)
_IN_URL = re.compile(r"[a-z][a-z0-9+.-]{0,30}://[^\s:/@]{0,200}:([^\s/]{1,500})@[^\s@]")
# What stands for a login in a URL that somebody still has to write: user:pass@host.
_MODEL_URL = re.compile(r"[^:]{1,30}://(?:user(?:name)?|login):(?:pass(?:word|wd)?|pwd)@", re.IGNORECASE)
# What people write until they know better, switches, hashes, and texts that something fills in or decrypts.
_NO_PASSWORD = re.compile(
    r"(?:change|replace|your|my-?(?:password|secret)|example|sample|placeholder|dummy|fake|todo|fixme|insert|enter"
    r"|redacted|removed|unset|undefined|not-?(?:set|used|needed)|unused)"
    r"|(?:on|off|enabled|disabled|auto|random|prompt|never|always|none|null|nil|n/?a|[01yntf])\Z"
    r"|\$|\{(?:ssha|sha|crypt|md5|scram|cipher)|(?:pbkdf2|scram|argon2|bcrypt)|enc[\[(]|[a-z][\w+.-]*://"
    r"|(?:env|file|secrets?|vault|ssm|sops|op|ref|kms|keyvault|sealed|encrypted|enc|crypt|cipher)[:+]"
    r"|%(?:\(|[sv]\Z)|md5[0-9a-f]{32}\Z|\*[0-9a-f]{40}\Z|[<\[{%#@_].*[>\]}%#@_]\Z|[x*.?-]+\Z",
    re.IGNORECASE,
)
# Keys that sign sessions and tokens, whose names leave no doubt.
_SIGNS = of_names(
    r"(?:.*_)?(?:secret_key(?:_base)?|(?:jwt|session|cookie|auth|nextauth|signing|hmac|csrf|app)_secret(?:_key)?"
    r"|(?:jwt|session|cookie|signing|hmac|csrf)_(?:signing_)?key|password_token|jwt_token)"
)
# What the provider of an API asks for in Terraform.
_OPENS = of_names(r"(?:.*_)?(?:(?:api|app|application|access|license|secret|account)_key|api_secret|token|auth)")
# Tokens that say what they are, whatever they are called: of GitHub, GitLab, Slack, Stripe, Vault, SendGrid, npm,
# DigitalOcean.
_TOKEN = re.compile(
    r"gh[pousr]_[A-Za-z0-9]{36,251}|github_pat_\w{22,255}|glpat-[\w-]{20,300}|xox[abprs]-[A-Za-z0-9-]{20,300}"
    r"|[sr]k_live_[A-Za-z0-9]{24,300}|hv[sb]\.[\w-]{24,300}|SG\.[\w-]{22}\.[\w-]{43}|npm_[A-Za-z0-9]{36}"
    r"|dop_v1_[0-9a-f]{64}|https://hooks\.slack\.com/services/T\w{6,20}/B\w{6,20}/\w{16,60}",
    re.ASCII,
)
_RANDOM = 20  # of its last letters, which nobody chose
_LEAST_LETTERS = 16  # of a key that nobody made up
_LEAST_BITS = 3.2  # of entropy for each of its letters; words of English have less than 3
_LEAST_BITS_OF_HEX = 2.5  # of 4: zeros, and 0123 over and over, are nobody's key
_WORDS = re.compile(r"[a-z]+(?:[-_. ][a-z0-9]+)*|[A-Z]+(?:[-_. ][A-Z0-9]+)*")
_HEX = re.compile(r"[0-9a-fA-F]{32,}")
# A value that says of itself that it is for development.
_FOR_DEVELOPMENT = re.compile(
    r"(?:.*[^a-z])?(?:dev|devel|development|local|localhost|test|testing|demo|insecure|not-?secret|not-?for-?prod\w*)"
    r"(?:[^a-z].*|[-_]?(?:password|passwd|pass|pw|secret|key)\W?[0-9]*)?",
    re.IGNORECASE | re.DOTALL,
)
_MOST_NAME = 253  # as many as a ConfigMap's key may have
_NAMED = ("PASSWORD", "PASS", "PWD")  # to be filled in
# Only asks whether a text is a secret; what it makes of it is thrown away.
recognise = Redactor(b"recognise").text


def is_known_form(value: str) -> bool:
    """Whether a token or key of a form that is known is in it."""
    return recognise(value) != value


def is_password(key: str, value: str) -> bool:
    """Whether a value is the password that its name announces, or a URL has one. What refers to one is none."""
    name = normal(key)[-_MOST_NAME:]
    if _PASSWORD(name):
        is_itself = value.lower() == name.rpartition("_")[2] or normal(value) == name
        return not is_itself and not _ABOUT.fullmatch(name) and _is_literal(value)
    in_url = _IN_URL.match(value) if "://" in value and not _MODEL_URL.match(value) else None
    return (in_url is not None and in_url[1] not in _NAMED and _is_literal(in_url[1])) or _is_within(value)


def is_key(key: str, value: str) -> bool:
    """Whether a value is a key that signs, by its name, and by letters that nobody would choose."""
    return _SIGNS(normal(key)[-_MOST_NAME:]) and _is_random(value)


def is_key_of_api(key: str, value: str) -> bool:
    """The same of what opens an API, by names that mean other things too where nothing of that kind is expected."""
    return _OPENS(normal(key)[-_MOST_NAME:]) and (_is_random(value) or is_known_form(value))


def _is_random(value: str) -> bool:
    if len(value) < _LEAST_LETTERS or not _is_literal(value):
        return False
    if _HEX.fullmatch(value):
        return _bits(value) >= _LEAST_BITS_OF_HEX
    kinds = sum(any(test(letter) for letter in value) for test in (str.islower, str.isupper, str.isdigit))
    return kinds > 1 and not _WORDS.fullmatch(value) and _bits(value) >= _LEAST_BITS


def _bits(text: str) -> float:
    """Shannon's entropy for each letter, in bits."""
    shares = [count / len(text) for count in Counter(text).values()]
    return -sum(share * math.log2(share) for share in shares)


def is_token_by_form(value: str) -> bool:
    """Whether a value is a token that its form gives away, under any name; `ghp_xxxx…` of a text of help is none."""
    made = value[-_RANDOM:]
    return _TOKEN.fullmatch(value) is not None and _bits(made) >= _LEAST_BITS and any(map(str.isdigit, made))


def is_credential(key: str, value: str) -> bool:
    return is_password(key, value) or is_key(key, value) or is_token_by_form(value)


def is_plain(value: str) -> bool:
    """Whether it is a word, with digits after it or without: what people take where it does not matter."""
    return re.fullmatch(r"[A-Za-z]+[0-9]*", value) is not None


def is_for_development(value: str) -> bool:
    return _FOR_DEVELOPMENT.fullmatch(value[:500]) is not None


def _is_within(text: str) -> bool:
    if "=" not in text:
        return False
    return any(_is_literal(next(filter(None, found.groups()), "")) for each in _WITHIN for found in each.finditer(text))


def _is_literal(value: str) -> bool:
    if not value or re.search(r"\s", value) or "${" in value or "{{" in value or _NO_PASSWORD.match(value):
        return False
    return is_known_form(f"password={value}")


def in_config_map(platform: Platform, config_map: Resource, *, with_files: bool) -> Iterator[tuple[str, str, Place]]:
    """(key, value, place) of what it states, by itself and in the files that it holds."""
    data = mapping(config_map.body, "data")
    for key, value in data.items():
        if _is_scalar(value) and "\n" not in str(value):
            yield key, str(value), config_map.place(data.lines[key])
    for setting in platform.settings_of(config_map.id) if with_files else ():
        if setting.value.place.path == config_map.path and _is_scalar(setting.value.value):
            yield setting.key, str(setting.value.value), setting.value.place
    for name, text, line in kubernetes.embedded(config_map):
        # The name of a file need not say what is in it.
        root = parsed(text, f"{name}.yaml", line) if "." not in name else None
        for key, value, at in flat(root) if isinstance(root, Map) else ():
            if _is_scalar(value):
                yield key, str(value), config_map.place(at)


def in_scripts(config_map: Resource) -> Iterator[tuple[str, Place]]:
    """(file, place) of users that SQL makes with their passwords, and users of Redis."""
    for name, text, line in kubernetes.embedded(config_map):
        if "'" not in text and ">" not in text:
            continue
        for number, each in enumerate(text.splitlines(), start=line + 1):
            found = _BY_SQL.search(each) or _OF_REDIS.match(each)
            if found is None or each.lstrip().startswith(("--", "#", "//")):
                continue
            if found[1] not in _NAMED and _is_literal(found[1]):
                yield name, config_map.place(number)


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)

"""Secrets to plant in reports: built when needed, so that no scanner of this repository finds one in its files."""

import base64
import random
import string

_ALNUM = string.ascii_letters + string.digits
_random = random.Random(20261125)


def _some(letters: str, count: int) -> str:
    return "".join(_random.choice(letters) for _ in range(count))


def _pem(kind: str) -> str:
    body = "\n".join(_some(_ALNUM + "+/", 64) for _ in range(4))
    return f"-----BEGIN {kind}-----\n{body}\n-----END {kind}-----"


def _jwt() -> str:
    parts = ('{"alg":"HS256"}', '{"sub":"canary","admin":true}', _some(_ALNUM, 30))
    return ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts)


# name → (the secret itself, a text as people write it)
def planted() -> dict[str, tuple[str, str]]:
    """Twenty-six of them. The text holds the secret once; nothing of the secret may be left of it."""
    word = "Canary" + _some(_ALNUM, 14)
    pem, openssh, jwt = _pem("RSA " + "PRIVATE KEY"), _pem("OPENSSH " + "PRIVATE KEY"), _jwt()
    pem_body, openssh_body = pem.splitlines()[2], openssh.splitlines()[2]
    aws_id, aws_key = "AKIA" + _some(string.ascii_uppercase, 16), "/" + _some(_ALNUM, 39)
    stored = base64.b64encode(pem.encode()).decode()
    basic = base64.b64encode(f"canary:{word}1".encode()).decode()
    tokens = {
        "github": "gh" + "p_" + _some(_ALNUM, 36),
        "github fine": "github" + "_pat_" + _some(_ALNUM, 60),
        "gitlab": "gl" + "pat-" + _some(_ALNUM, 20),
        "slack": "xox" + "b-" + _some(string.digits, 12) + "-" + _some(_ALNUM, 24),
        "stripe": "sk" + "_live_" + _some(_ALNUM, 24),
        "npm": "npm" + "_" + _some(_ALNUM, 36),
        "pypi": "pypi" + "-" + _some(_ALNUM, 80),
        "google": "AIza" + _some(_ALNUM, 35),
        "sendgrid": "SG" + "." + _some(_ALNUM, 22) + "." + _some(_ALNUM, 43),
        "vault": "hv" + "s." + _some(_ALNUM, 24),
        "openai": "sk" + "-proj-" + _some(_ALNUM, 40),
        "jwt": jwt,
        "aws id": aws_id,
    }
    found = {name: (token, f"the value {token} was found here") for name, token in tokens.items()}
    return found | {
        "aws key": (aws_key, f"aws_secret_access_key = {aws_key}"),
        "rsa": (pem_body, pem),
        "openssh": (openssh_body, f"key: |\n{openssh}\nend: yes"),
        "stored key": (stored[40:90], f"  tls.key: {stored}\n  other: 1"),
        "url": (word + "2", f"postgres://app:{word}2@db.internal:5432/app"),
        "url with @": (word + "3", f"amqp://app:p@{word}3@queue/"),
        "env": (word + "4", f"DB_PASSWORD={word}4"),
        "yaml": (word + "5", f"password: '{word}5'"),
        "json": (word + "6", f'{{"clientSecret": "{word}6"}}'),
        "pair": (word + "7", f"- name: API_TOKEN\n  value: {word}7"),
        "basic": (basic, f"Authorization: Basic {basic}"),
        "connection": (word + "8", f"Server=db;User Id=app;Pwd={word}8;Encrypt=true"),
        "option": (word + "9", f"vaultctl --token {word}9 read"),
    }

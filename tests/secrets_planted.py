"""Secrets to plant in reports: built when needed, so that no scanner of this repository finds one in its files."""

import base64
import random
import string

_ALNUM = string.ascii_letters + string.digits
_random = random.Random()


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
    _random.seed(20261125)  # the same ones wherever they are asked for
    words = ["Canary" + _some(_ALNUM, 14) for _ in range(9)]
    pem, openssh, jwt = _pem("RSA " + "PRIVATE KEY"), _pem("OPENSSH " + "PRIVATE KEY"), _jwt()
    pem_body, openssh_body = pem.splitlines()[2], openssh.splitlines()[2]
    aws_id, aws_key = "AKIA" + _some(string.ascii_uppercase, 16), "/" + _some(_ALNUM, 39)
    stored = base64.b64encode(pem.encode()).decode()
    basic = base64.b64encode(f"canary:{words[0]}".encode()).decode()
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
        "url": (words[1], f"postgres://app:{words[1]}@db.internal:5432/app"),
        "url with @": (words[2], f"amqp://app:p@{words[2]}@queue/"),
        "env": (words[3], f"DB_PASSWORD={words[3]}"),
        "yaml": (words[4], f"password: '{words[4]}'"),
        "json": (words[5], f'{{"clientSecret": "{words[5]}"}}'),
        "pair": (words[6], f"- name: API_TOKEN\n  value: {words[6]}"),
        "basic": (basic, f"Authorization: Basic {basic}"),
        "connection": (words[7], f"Server=db;User Id=app;Pwd={words[7]};Encrypt=true"),
        "option": (words[8], f"vaultctl --token {words[8]} read"),
    }

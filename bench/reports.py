"""Reports to measure with: the same for the same seed, shaped like those of real scanners."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SEED = 20261101
RULES = 400
_WORDS = (
    "request", "handler", "session", "order", "payment", "invoice", "cache", "queue", "topic", "retry", "timeout",
    "client", "server", "parser", "writer", "reader", "index", "shard", "replica", "volume", "bucket", "policy", "role",
    "token", "header", "cookie", "route", "worker", "batch", "stream", "buffer", "lock", "thread",
)  # fmt: skip
_LEVELS = ("error", "warning", "warning", "note")
_SCORES = ("9.1", "6.5", "7.5", "5.0", "2.0")  # as CVSS


def _words(chance: random.Random, count: int) -> str:
    return " ".join(chance.choices(_WORDS, k=count))


def _rule(chance: random.Random, number: int) -> dict[str, Any]:
    return {
        "id": f"bench/rule-{number:03}",
        "name": f"Rule{number:03}",
        "shortDescription": {"text": f"The {_words(chance, 3)} is not checked"},
        "fullDescription": {"text": f"When the {_words(chance, 12)} is not checked, the {_words(chance, 8)} fails."},
        "help": {"text": f"Check the {_words(chance, 40)}."},
        "helpUri": f"https://rules.example.com/{number:03}",
        "defaultConfiguration": {"level": _LEVELS[number % len(_LEVELS)]},
        "properties": {
            "tags": ["security", f"external/cwe/cwe-{20 + number}"],
            "security-severity": _SCORES[number % 5],
        },
    }


def _result(chance: random.Random, number: int, paths: list[str], text: str) -> dict[str, Any]:
    rule, line = chance.randrange(RULES), chance.randrange(1, 2_000)
    code = f"    {chance.choice(_WORDS)}_{number} = {chance.choice(_WORDS)}.{chance.choice(_WORDS)}({number})"
    return {
        "ruleId": f"bench/rule-{rule:03}",
        "ruleIndex": rule,
        "level": _LEVELS[rule % len(_LEVELS)],
        "message": {"text": f"{text} {_words(chance, 14)} at {number}."},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": paths[chance.randrange(len(paths))], "uriBaseId": "%SRCROOT%"},
                    "region": {
                        "startLine": line,
                        "endLine": line + 2,
                        "startColumn": 5,
                        "snippet": {"text": f"{code}\n    return {chance.choice(_WORDS)}\n"},
                    },
                }
            }
        ],
    }


def write_sarif(path: Path, results: int, *, seed: int = SEED, changed_percent: int = 0, end: bytes = b"\n") -> Path:
    """A log of one run. Of each hundred results `changed_percent` say something else than those of another file of
    the seed; `end` makes a file that says the same and is not the same."""
    chance = random.Random(seed)
    paths = [f"src/{chance.choice(_WORDS)}/{chance.choice(_WORDS)}_{number}.py" for number in range(5_000)]
    rules = [_rule(chance, number) for number in range(RULES)]
    driver = {"name": "Bench", "semanticVersion": "1.0.0", "rules": rules}
    with path.open("wb") as file:
        file.write(b'{"version": "2.1.0", "runs": [{"tool": {"driver": ' + json.dumps(driver).encode())
        file.write(b'}, "results": [')
        for number in range(results):
            text = "Other" if number % 100 < changed_percent else "Unchecked"
            file.write((b",\n" if number else b"") + json.dumps(_result(chance, number, paths, text)).encode())
        file.write(b"]}]}" + end)
    return path


def checkov_checks(results: int, *, seed: int = SEED) -> Iterator[dict[str, Any]]:
    chance = random.Random(seed)
    for number in range(results):
        kind, name, line = chance.choice(_WORDS), f"{chance.choice(_WORDS)}-{number}", chance.randrange(1, 900)
        path = f"/k8s/{chance.choice(_WORDS)}/{chance.choice(_WORDS)}.yaml"
        yield {
            "check_id": f"CKV_K8S_{chance.randrange(1, 120)}",
            "bc_check_id": f"BC_K8S_{number % 120}",
            "check_name": f"Ensure that the {_words(chance, 6)} is set",
            "check_result": {"result": "FAILED", "evaluated_keys": [f"spec/{kind}/{name}"]},
            "code_block": [[line + i, f"  {chance.choice(_WORDS)}: {chance.choice(_WORDS)}\n"] for i in range(12)],
            "file_path": path,
            "file_line_range": [line, line + 11],
            "resource": f"Deployment.default.{name}",
            "severity": None,
            "guideline": "https://rules.example.com/k8s",
        }


def write_checkov(path: Path, results: int) -> Path:
    with path.open("wb") as file:
        file.write(b'{"check_type": "kubernetes", "results": {"failed_checks": [')
        for number, check in enumerate(checkov_checks(results)):
            file.write((b",\n" if number else b"") + json.dumps(check).encode())
        file.write(b'], "passed_checks": [], "skipped_checks": [], "parsing_errors": []}}')
    return path

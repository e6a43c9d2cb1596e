"""Text that is made to take time or to end the reading: whatever it is, the rest of the platform is read and judged.

With time that grows with the square of the text these would take hours.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from findings.checks import engine
from findings.checks.base import Pass, Verdict
from findings.checks.registry import CHECKS
from findings.platform import hcl, reader
from findings.platform.files import File

BESIDE = File("beside.yaml", "kind: Deployment\napiVersion: apps/v1\nmetadata: {name: beside}\nspec: {selector: {}}\n")

PIECES = [
    "a", "a.", "a:", "a=", "a,", "a ", "1.", " ", "\t", "\n", "\u2028", "\u3000", '"', '"a" ', '"\n', "'", "`", "\\",
    "(", "[", "{", "{{", "${", "%{", "<<A\n", "/*", "//", "#", "- ", "? ", "&a ", "*a ", "a: {", "[[a]]\n", "a=[",
    "a?b:", "$(a", "password=", "x:y@", "http://", "postgres://a:b@", "10.0.0.0/8 ", "create user a ", "SELECT ",
    "sum(", "rate(", "by (", "--a=", "&& ", "gunicorn ", "platform-risk: ignore ",
]  # fmt: skip
WHERE: dict[str, Callable[[str], File]] = {
    "YAML": lambda text: File("a.yaml", text),
    "JSON": lambda text: File("a.json", text),
    "Terraform": lambda text: File("a.tf", text),
    "Python": lambda text: File("a.py", text),
    "TOML": lambda text: File("a.toml", text),
    "properties": lambda text: File("a.properties", text),
    "a Dockerfile": lambda text: File("Dockerfile", f"FROM x\nCMD {text}\nENV A={text}\n"),
    "an environment": lambda text: File(
        "b.yaml",
        "kind: Deployment\napiVersion: apps/v1\nmetadata: {name: b}\nspec:\n  template:\n    spec:\n      containers:\n"
        f"        - {{name: b, image: {json.dumps(text)}, args: [{json.dumps(text)}], env: [{{name: PASSWORD, "
        f"value: {json.dumps(text)}}}, {{name: DATABASE_URL, value: {json.dumps(text)}}}]}}\n",
    ),
    "a ConfigMap": lambda text: File(
        "c.yaml",
        "kind: ConfigMap\napiVersion: v1\nmetadata: {name: c}\n"
        f"data: {{app.conf: {json.dumps(text)}, x.sql: {json.dumps(text)}, a.yaml: {json.dumps(text)}}}\n",
    ),
    "an alert": lambda text: File(
        "r.yaml", f"groups: [{{name: a, rules: [{{alert: A, expr: {json.dumps(text)}, for: {json.dumps(text)}}}]}}]\n"
    ),
    "a window": lambda text: File(
        "w.yaml",
        "kind: AppProject\napiVersion: argoproj.io/v1alpha1\nmetadata: {name: w}\nspec: {syncWindows: [{kind: allow, "
        f"schedule: {json.dumps(text)}, duration: {json.dumps(text)}, timeZone: {json.dumps(text)}}}]}}\n",
    ),
}


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("letters", [10_000, pytest.param(300_000, marks=pytest.mark.drill)])
def test_what_is_repeated_without_end_hides_nothing_and_ends(
    where: str, letters: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hcl, "_PATIENCE", 0.2)
    for piece in PIECES:
        read = reader.read([WHERE[where](piece * (letters // len(piece))), BESIDE])
        engine.run(read)
        assert "beside.yaml" in read.files_read, piece


def test_terraform_that_is_none_is_given_up_and_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hcl, "_PATIENCE", 0.05)
    read = reader.read([File("a.tf", '"a" ' * 10_000), File("b.tf", "a = 1" + "\u3000" * 2_000 + "\n")])
    assert [(each.path, each.reason, each.is_error) for each in read.skipped] == [
        (path, "not valid HCL, and too far from it to tell where", True) for path in ("a.tf", "b.tf")
    ]


def test_terraform_longer_than_is_parsed_at_once_is_read_whole() -> None:
    blocks = "".join(f'resource "aws_db_instance" "x{n}" {{\n  identifier = "größe-{n}"\n}}\n' for n in range(800))
    read = reader.read([File("a.tf", blocks)])
    assert len(blocks) > 2 * hcl._SHORT
    assert [each.get("identifier").value for each in read.blocks] == [f"größe-{n}" for n in range(800)]  # type: ignore[union-attr]
    assert read.blocks[-1].line == 3 * 799 + 1


DEEP = 3_000


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.toml", "x = " + "[" * DEEP + "]" * DEEP), ("a.toml", "x = " + "{a=" * DEEP + "1" + "}" * DEEP),
        ("a.toml", ".".join("a" * DEEP) + " = 1"), ("Dockerfile", "FROM x\nCMD " + "[" * DEEP),
        ("a.py", "x = " + "f(" * DEEP + ")" * DEEP), ("a.py", "x = " + "1+" * DEEP + "1"),
        ("a.tf", "x = " + "[" * DEEP + "]" * DEEP + "\n"), ("a.tf", "a {\n" * DEEP + "}\n" * DEEP),
        ("a.tf", 'resource "aws_db_instance" "a" {\n  identifier = ' + "(" * DEEP + ")" * DEEP + "\n}\n"),
        ("a.json", "[" * DEEP + "]" * DEEP), ("a.json", '{"a":' * DEEP + "1" + "}" * DEEP),
        *(("r.yaml", f"groups: [{{name: a, rules: [{{alert: A, expr: {json.dumps(expression)}}}]}}]")
          for expression in ("(" * DEEP + ")" * DEEP, "-" * DEEP + "1", "1^" * DEEP + "1", "a or " * DEEP + "a")),
    ],
)  # fmt: skip
def test_what_is_nested_without_end_ends_neither_the_reading_nor_the_judging(path: str, text: str) -> None:
    read = reader.read([File(path, text), BESIDE])
    assert "beside.yaml" in read.files_read
    assert len(engine.run(read).tallies) == len(CHECKS)


def test_a_check_that_meets_too_much_nesting_cannot_tell_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def deep(_: object) -> Iterator[Verdict]:
        yield Pass("before")
        raise RecursionError

    first, *others = CHECKS.values()
    outcome = engine.run(reader.read([BESIDE]), [replace(first, run=deep), *others])
    assert (outcome.tallies[0].passed, outcome.tallies[0].unsure[0].reason) == (
        1, "something in them is nested too deeply to be judged",
    )  # fmt: skip
    assert len(outcome.tallies) == len(CHECKS)

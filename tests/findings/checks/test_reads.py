"""docs/coverage.md says what the checks read, as measured, and what no check reads is counted."""

import ast
from pathlib import Path

from findings.checks import reads
from findings.checks.registry import CHECKS
from findings.platform.model import Platform
from tests.findings.checks import reading, reading_measured

_ASKING = ("of_kind", "terraform", "in_namespace", "named")
_ANEW = "python -m tests.findings.checks.reading_measured writes it anew"


def test_the_list_is_what_is_measured_now() -> None:
    assert list(reads.reads()) == reading_measured.measured(), _ANEW


def test_the_page_is_up_to_date() -> None:
    assert reading_measured.PAGE.read_text(encoding="utf-8") == reads.text(), _ANEW


def test_every_kind_that_code_asks_for_changes_an_answer_of_some_sample() -> None:
    asked = {
        argument.value
        for folder in ("checks", "platform")
        for path in Path(reads.__file__).parents[1].joinpath(folder).glob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in _ASKING
        for argument in call.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str) and argument.value
    }
    assert len(asked) > 40
    assert sorted(asked - reads.kinds()) == []


def test_every_check_reads_something() -> None:
    assert {each.check for each in reads.reads()} == set(CHECKS)


def test_a_kind_that_no_check_reads_is_counted() -> None:
    platform: Platform = reading.platform(
        objects_yaml="apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\n"
        "apiVersion: example.com/v1\nkind: Teapot\nmetadata: {name: b}\n---\n"
        "apiVersion: example.com/v1\nkind: Teapot\nmetadata: {name: c}\n",
        main_tf='resource "aws_db_instance" "a" {}\nresource "aws_iot_thing" "b" {}\n',
    )
    assert reads.kinds_not_read(platform) == {"Teapot": 2, "aws_iot_thing": 1}

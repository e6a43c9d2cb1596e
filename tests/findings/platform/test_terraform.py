"""What Terraform states, and what only Terraform itself can tell."""

import json
import textwrap
from typing import Any

import pytest

from findings.platform import reader, terraform
from findings.platform.files import File
from findings.platform.model import Block, Platform
from findings.platform.yaml_reader import TEMPLATE
from platform_risk.quantities.sourced import Sourced, Unknown


def platform(**texts: str) -> Platform:
    """Files by their path, with __ for a slash and the last _ for the dot of the ending."""
    return reader.read(
        File(".".join(name.replace("__", "/").rsplit("_", 1)), textwrap.dedent(text)) for name, text in texts.items()
    )


def read(text: str) -> Platform:
    return platform(main_tf=text)


def known(block: Block, name: str) -> Any:
    stated = block.get(name)
    assert isinstance(stated, Sourced), stated
    return stated.value


def unknown(block: Block, name: str) -> Unknown:
    stated = block.get(name)
    assert isinstance(stated, Unknown), stated
    assert stated.reason
    assert stated.provide
    return stated


@pytest.mark.parametrize(
    "text",
    [
        'resource "aws_db_instance" "{{ node }}" {\n  engine = "postgres"\n}\n',
        'resource "aws_db_instance" "main" {\n  allocated_storage = {{ config.size }}\n}\n',
        'resource "aws_db_instance" "main" {\n{% if config.large %}\n  allocated_storage = 100\n{% endif %}\n}\n',
    ],
)
def test_what_something_else_makes_terraform_of_is_a_template_and_not_read(text: str) -> None:
    found = platform(main_tf=text)
    assert [(each.path, each.reason) for each in found.skipped] == [("main.tf", TEMPLATE)]
    assert not found.blocks
    assert not found.files_read


def test_marks_within_a_message_are_of_who_sends_it() -> None:
    found = read('resource "datadog_monitor" "a" {\n  message = "{{#is_alert}} down {{/is_alert}}"\n}\n')
    assert [block.id for block in found.blocks] == ["datadog_monitor.a"]
    assert not found.skipped


def test_an_object_that_terraform_makes_is_called_by_what_is_known_of_it() -> None:
    found = read("""
        variable "space" {}
        resource "kubernetes_manifest" "api" {
          manifest = {
            apiVersion = "apps/v1", kind = "Deployment", metadata = { name = "api", namespace = var.space }
            spec = { replicas = var.space, selector = { matchLabels = { app = var.space } } }
          }
        }
        resource "kubernetes_manifest" "web" {
          manifest = { apiVersion = "v1", kind = "Service", metadata = { name = "${var.space}-web" } }
        }
    """)
    api, web = found.resources
    assert (api.id, web.id) == ("Deployment/api", "Service/web")
    assert api.at("spec.selector.matchLabels.app") is None
    assert api.at("spec.replicas") is not None


def value(expression: str, before: str = "") -> Any:
    return known(read(f'{before}\nresource "a" "b" {{\n  x = {expression}\n}}\n').terraform("a")[0], "x")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("7", 7), ("-7", -7), ("1.5", 1.5), ("1.5e3", 1500.0), ("true", True), ("!true", False), ('"a b"', "a b"),
        ('""', ""), (r'"a\n\"b\" \\ \t\u00e9"', 'a\n"b" \\ \té'), ('"$${x} %%{y}"', "${x} %{y}"),
        ('"a ${1 + 1}  b"', "a 2  b"),
        ("[1, \"a\", true]", [1, "a", True]), ('{ a = 1, "b.c" = 2 }', {"a": 1, "b.c": 2}), ("60 * 5", 300),
        ("(5)", 5), ("24 / 2", 12), ("true ? 7 : 1", 7), ('"a" == "b" ? 7 : 1', 1), ("1 == true", False),
        ("7 > 1 && 2 != 2", False), ('tonumber("12")', 12), ("tostring(12)", "12"), ('upper("a")', "A"),
        ("[1, 2][1]", 2), ('merge({ a = 1 }, { b = 2 })', {"a": 1, "b": 2}), ("concat([1], [2])", [1, 2]),
        ("coalesce(null, 7)", 7), ('lookup({ a = 1 }, "b", 5)', 5), ("length([1, 2])", 2), ("max(1, 3, 2)", 3),
        ('join("-", ["a", 1])', "a-1"), ('contains(["a"], "a")', True), ("try({ a = 1 }.b, 5)", 5),
        ('jsonencode({ b = [1, null], a = "x" })', '{"a":"x","b":[1,null]}'),
    ],
)  # fmt: skip
def test_an_expression_of_literals_is_worth_its_value(expression: str, expected: Any) -> None:
    got = value(expression)
    assert got == expected
    assert type(got) is type(expected) or isinstance(got, list | dict)


def test_a_heredoc_keeps_its_lines_and_loses_its_common_indent() -> None:
    assert value("<<-EOT\n    a\n      b ${1}\n\n    c\n  EOT") == "a\n  b 1\n\nc\n"
    assert value("<<EOT\n  a\n  b\nEOT") == "  a\n  b\n"


def test_an_attribute_knows_its_line_and_its_resource() -> None:
    block = read(
        '\n\nresource "aws_db_instance" "main" {\n  engine = "postgres"\n  n = {\n    k = 1\n  }\n}\n'
    ).terraform("aws_db_instance")[0]
    stated = block.get("engine")
    assert isinstance(stated, Sourced)
    assert (stated.place.path, stated.place.line, stated.place.resource) == ("main.tf", 4, "aws_db_instance.main")
    assert (block.id, block.line) == ("aws_db_instance.main", 3)
    assert known(block, "n").lines == {"k": 6}


def test_variables_are_worth_their_default_and_say_so() -> None:
    block = platform(
        variables_tf='variable "days" {\n  default = 7\n}\nvariable "none" {}\n',
        main_tf='locals {\n  d = var.days\n}\nresource "a" "b" {\n  x = local.d * 2\n  y = var.none\n'
        '  z = "n-${var.days}"\n}',
    ).terraform("a")[0]
    stated = block.get("x")
    assert isinstance(stated, Sourced)
    assert stated.value == 14
    assert stated.note == "var.days by its default, variables.tf line 2"
    assert known(block, "z") == "n-7"
    assert "no default" in unknown(block, "y").reason
    assert "default of variable none" in unknown(block, "y").provide


def test_terraform_tfvars_win_over_defaults_and_another_variables_file_makes_it_unknown() -> None:
    main = 'variable "days" {\n  default = 7\n}\nresource "a" "b" {\n  x = var.days\n}\n'
    assert known(platform(main_tf=main, terraform_tfvars="days = 30\n").terraform("a")[0], "x") == 30
    assert known(platform(main_tf=main, **{"team.auto_tfvars": "days = 14\n"}).terraform("a")[0], "x") == 14
    assert "prod.tfvars" in unknown(platform(main_tf=main, prod_tfvars="days = 1\n").terraform("a")[0], "x").reason


def test_null_is_as_if_the_attribute_were_not_there() -> None:
    block = read('variable "n" {\n  default = null\n}\nresource "a" "b" {\n  x = var.n\n  y = null\n}').terraform("a")[
        0
    ]
    assert block.get("x") is None
    assert block.get("y") is None


def test_a_number_that_the_grammar_splits_is_unknown_rather_than_its_first_digit() -> None:
    unknown(read('resource "a" "b" {\n  x = 1e3\n  y = 2\n}\n').terraform("a")[0], "x")


@pytest.mark.parametrize(
    "expression",
    ["aws_x.y.id", "module.m.out", "data.aws_z.q.name", "[for x in [1] : x]", "var.missing", "local.missing",
     "each.value", 'file("x")', "1 / 0", '"%{ if true }a%{ endif }"', "count.index",
     "max([1, 2]...)", 'max("a")', "try(aws_x.y.z, 5)", "lookup(1, 2)", "length(5)", "coalesce()[0]", "merge(1)",
     "upper()", '"${[1]}"', "a.b[*].c"],
)  # fmt: skip
def test_what_only_terraform_can_tell_is_unknown_with_a_reason(expression: str) -> None:
    unknown(read(f'resource "a" "b" {{\n  x = {expression}\n}}\n').terraform("a")[0], "x")


def test_a_map_with_one_unknown_value_keeps_the_others() -> None:
    held = value("{ a = 1, b = aws_x.y.id }")
    assert held["a"] == 1
    assert isinstance(held["b"], Unknown)


def test_json_of_something_unknown_is_unknown() -> None:
    unknown(read('resource "a" "b" {\n  x = jsonencode({ a = aws_x.y.id })\n}').terraform("a")[0], "x")


def test_locals_that_refer_to_each_other_are_unknown() -> None:
    block = read('locals {\n  a = local.b\n  b = local.a\n}\nresource "a" "b" {\n  x = local.a\n}').terraform("a")[0]
    assert "refers to itself" in unknown(block, "x").reason


def test_an_attribute_of_another_resource_is_its_literal() -> None:
    block = read('resource "p" "q" {\n  name = "pg"\n}\nresource "a" "b" {\n  x = p.q.name\n  y = p.q.id\n}').terraform(
        "a"
    )[0]
    assert known(block, "x") == "pg"
    unknown(block, "y")
    assert block.references == {"x": ("p.q",), "y": ("p.q",)}


def test_nested_blocks_are_blocks() -> None:
    block = read(
        'resource "c" "d" {\n  critical {\n    threshold_duration = 300\n  }\n'
        "  critical {\n    threshold_duration = 60\n  }\n}"
    ).terraform("c")[0]
    assert [known(each, "threshold_duration") for each in block.inner("critical")] == [300, 60]
    assert [each.line for each in block.inner("critical")] == [2, 5]


def test_a_dynamic_block_is_written_out_when_its_list_is_known_and_unknown_otherwise() -> None:
    block = read(
        """
        resource "c" "d" {
          dynamic "critical" {
            for_each = [{ t = 5 }, { t = 6 }]
            content {
              threshold = critical.value.t
            }
          }
          dynamic "warning" {
            for_each = aws_x.y.z
            iterator = it
            content {
              threshold = it.value
              operator  = "above"
            }
          }
        }
        """
    ).terraform("c")[0]
    assert [known(each, "threshold") for each in block.inner("critical")] == [5, 6]
    assert "for_each" in unknown(block.inner("warning")[0], "threshold").reason
    assert known(block.inner("warning")[0], "operator") == "above"


def test_a_count_of_nothing_makes_nothing_and_a_known_for_each_makes_each() -> None:
    found = read(
        """
        variable "create" {
          default = false
        }
        resource "a" "none" {
          count = var.create ? 1 : 0
        }
        resource "a" "each" {
          for_each = { main = 7, copy = 1 }
          days     = each.value
          name     = each.key
        }
        resource "a" "unknown" {
          for_each = aws_x.y.z
          days     = each.value
        }
        """
    ).terraform("a")
    assert [each.id for each in found] == ['a.each["main"]', 'a.each["copy"]', "a.unknown"]
    assert [known(each, "days") for each in found[:2]] == [7, 1]
    unknown(found[2], "days")


def test_a_module_is_read_once_per_call_with_its_arguments() -> None:
    found = platform(
        main_tf="""
            module "a" {
              source = "./modules/db"
              days   = 7
            }
            module "b" {
              source = "./modules/db"
              days   = aws_x.y.z
            }
            module "c" {
              source = "./modules/db"
            }
        """,
        modules__db__main_tf="""
            variable "days" {
              default = 1
            }
            resource "aws_db_instance" "this" {
              backup_retention_period = var.days
            }
        """,
    ).terraform("aws_db_instance")
    assert [each.id for each in found] == [f"module.{name}.aws_db_instance.this" for name in "abc"]
    assert known(found[0], "backup_retention_period") == 7
    unknown(found[1], "backup_retention_period")
    assert known(found[2], "backup_retention_period") == 1
    assert found[0].path == "modules/db/main.tf"


def test_an_argument_says_which_call_states_it() -> None:
    found = platform(
        envs__prod__main_tf="""
            module "db" {
              source = "../../modules/db"
              days   = 14
            }
        """,
        envs__dev__main_tf="""
            module "db" {
              source = "../../modules/db"
              days   = 0
            }
        """,
        modules__db__main_tf="""
            variable "days" {}
            resource "aws_db_instance" "this" {
              backup_retention_period = var.days
            }
        """,
    ).terraform("aws_db_instance")
    stated = {each.attributes["backup_retention_period"] for each in found}
    notes = {each.value: each.note for each in stated if isinstance(each, Sourced)}
    assert notes == {
        14: "argument of module.db, envs/prod/main.tf line 4",
        0: "argument of module.db, envs/dev/main.tf line 4",
    }


def test_modules_that_call_each_other_end() -> None:
    found = platform(
        a__main_tf='module "b" {\n  source = "../b"\n}\nresource "r" "a" {}',
        b__main_tf='module "a" {\n  source = "../a"\n}\nresource "r" "b" {}',
    )
    assert {each.labels[1] for each in found.terraform("r")} == {"a", "b"}


def test_a_syntax_error_is_named_with_its_line_and_the_rest_is_used() -> None:
    found = read('resource "a" "b" {\n  x = \n  y = 5\n}\nresource "a" "c" {\n  x = 2\n}\n')
    assert [(each.path, each.reason) for each in found.skipped] == [("main.tf", "not valid HCL")]
    assert found.skipped[0].line in (2, 3)
    assert found.files_read == ("main.tf",)
    assert known(found.terraform("a")[1], "x") == 2
    unknown(found.terraform("a")[0], "x")


@pytest.mark.parametrize(
    "text",
    ["", "}{", 'resource "a"',
     "x = " + "(" * 5000, "x = " + "[" * 3000 + "]" * 3000, 'a {\n' * 500 + "}\n" * 500, '"' * 999,
     "x = \"${\"${\"${1}\"}\"}\"", "x = <<EOT\nnever ends", "\ufffd\ufffd = \x01", "x = 9" + "9" * 5000],
    ids=["empty", "braces", "cut", "parens", "brackets", "blocks", "quotes", "templates", "heredoc", "odd", "digits"],
)  # fmt: skip
def test_hostile_text_ends_with_a_platform(text: str) -> None:
    found = read(text)
    assert [*found.files_read, *(each.path for each in found.skipped)]


@pytest.mark.parametrize("repeat", ['"{}"', "[{}]", "{{ {} }}", "jsonencode([{}])", "concat({})"])
def test_locals_that_repeat_one_another_neither_grow_nor_take_long(repeat: str) -> None:
    lines = ["  l0 = [1, 2]" if "concat" in repeat else '  l0 = "aaaaaaaaaa"']
    for number in range(1, 30):
        before = f"local.l{number - 1}"
        parts = [f"${{{before}}}"] * 10 if repeat.startswith('"') else [before] * 10
        if repeat.startswith("{"):
            parts = [f"k{at} = {each}" for at, each in enumerate(parts)]
        joined = "" if repeat.startswith('"') else ", "
        lines.append(f"  l{number} = {repeat.format(joined.join(parts))}")
    text = "locals {\n" + "\n".join(lines) + '\n}\nresource "a" "b" {\n  x = local.l29\n  y = local.l2\n}\n'
    block = read(text).terraform("a")[0]
    assert isinstance(block.get("y"), Sourced)
    grown = block.get("x")
    assert not isinstance(grown, Sourced) or getattr(grown.value, "size", len(grown.value)) <= 1_000_000


def test_dynamic_blocks_within_one_another_end() -> None:
    many = "[" + ", ".join(map(str, range(150))) + "]"
    inner = "x = 1"
    for number in range(6):
        inner = f'dynamic "b{number}" {{\n  for_each = {many}\n  content {{\n{inner}\n}}\n}}'
    (block,) = read(f'resource "a" "b" {{\n{inner}\n}}\n').terraform("a")
    assert len(block.blocks) <= 150


def test_modules_that_multiply_end_and_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terraform, "MOST_BLOCKS", 500)
    call = 'module "m" {{\n  for_each = toset([{}])\n  source   = "../m{}"\n}}\n'
    keys = ", ".join(f'"k{number}"' for number in range(150))
    texts = {f"m{number}__main_tf": call.format(keys, number + 1) for number in range(6)}
    found = platform(**texts, m6__main_tf='resource "a" "b" {}\n')
    assert len(found.blocks) == 501
    assert [each.reason for each in found.skipped] == ["more than 500 blocks once modules are written out"]


def test_another_resources_attribute_is_not_read_with_the_names_of_this_instance() -> None:
    found = read(
        'resource "p" "q" {\n  for_each = { a = 1 }\n  name = each.key\n}\n'
        'resource "a" "b" {\n  for_each = { z = 2 }\n  x = p.q.name\n  y = each.key\n}\n'
    ).terraform("a")[0]
    unknown(found, "x")
    assert known(found, "y") == "z"


def test_a_fragment_without_a_block_is_one_block_without_a_type() -> None:
    found = read("aggregation_delay = 120  # 2 minutes\naggregation_window = 60   # 1 minute\n")
    (block,) = [each for each in found.blocks if each.type == ""]
    assert (known(block, "aggregation_delay"), known(block, "aggregation_window"), block.line) == (120, 60, 1)


def test_the_json_form_is_read_like_hcl() -> None:
    tree = {
        "variable": {"days": {"default": 7}},
        "locals": {"d": "${var.days}"},
        "resource": {
            "aws_db_instance": {
                "main": {"backup_retention_period": "${local.d}", "name": "db-${local.d}", "x": "${aws_x.y.id}",
                         "timeouts": {"create": "1h"}, "list": [{"a": 1}, {"a": 2}]},
            }
        },
    }  # fmt: skip
    found = platform(**{"main.tf_json": json.dumps(tree, indent=1)})
    (block,) = found.terraform("aws_db_instance")
    assert block.id == "aws_db_instance.main"
    assert known(block, "backup_retention_period") == 7
    assert known(block, "name") == "db-7"
    unknown(block, "x")
    assert known(block.inner("timeouts")[0], "create") == "1h"
    assert [known(each, "a") for each in block.inner("list")] == [1, 2]
    assert block.line > 1


def plan(**more: Any) -> dict[str, Any]:
    values = {"backup_retention_period": 7, "engine": None, "nrql": [{"query": "SELECT ${x}"}], "arn_list": []}
    address = 'module.db.aws_db_instance.this["a"]'
    resource = {"address": address, "mode": "managed", "type": "aws_db_instance", "name": "this", "values": values}
    change = {"address": address, "mode": "managed", "type": "aws_db_instance", "name": "this",
              "change": {"actions": ["create"], "after": values, "after_unknown": {"arn": True}}}  # fmt: skip
    return {
        "format_version": "1.2",
        "planned_values": {"root_module": {"child_modules": [{"resources": [resource]}]}},
        "resource_changes": [change],
    } | more


def test_a_plan_states_exact_values_and_what_is_known_only_after_apply() -> None:
    found = platform(plan_json=json.dumps(plan(), indent=1))
    (block,) = found.terraform("aws_db_instance")
    assert block.id == 'module.db.aws_db_instance.this["a"]'
    assert known(block, "backup_retention_period") == 7
    assert block.get("engine") is None
    assert known(block.inner("nrql")[0], "query") == "SELECT ${x}"
    assert "after apply" in unknown(block, "arn").reason
    stated = block.get("backup_retention_period")
    assert stated is not None
    assert (stated.place.line or 0) > 1
    assert not found.configs


def test_a_plan_of_changes_alone_leaves_out_what_is_deleted() -> None:
    changes = plan()["resource_changes"]
    changes.append(
        {
            "address": "a.gone",
            "mode": "managed",
            "type": "a",
            "name": "gone",
            "change": {"actions": ["delete"], "after": None},
        }
    )
    found = platform(plan_json=json.dumps({"format_version": "1.2", "resource_changes": changes}))
    assert [each.kind for each in found.blocks] == ["aws_db_instance"]


def test_a_json_file_that_is_no_plan_stays_a_configuration() -> None:
    found = platform(settings_json='{"format_version": 1, "values": {"a": 1}}')
    assert not found.blocks
    assert len(found.configs) == 1


def test_the_order_of_files_changes_nothing() -> None:
    texts = {
        "a.tf": 'variable "x" {\n  default = 1\n}\n',
        "b.tf": 'resource "r" "b" {\n  n = var.x\n}\n',
        "m/c.tf": 'resource "r" "c" {}\n',
        "z.tf": 'module "m" {\n  source = "./m"\n}\n',
    }
    files = [File(path, text) for path, text in texts.items()]
    assert reader.read(files).blocks == reader.read(reversed(files)).blocks

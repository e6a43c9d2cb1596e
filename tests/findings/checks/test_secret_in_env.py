"""Tokens in the environment: who shares them, who can read them."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from findings.checks import secret_in_env, telling, written_out
from findings.risk import lanes
from findings.vocabulary import Severity
from tests.examples import examples
from tests.findings.checks import reading

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: shop}}
spec:
  template:
    spec:
      containers:
        - name: main
          image: registry.example/main:1
          env:
            - {{name: {variable}, valueFrom: {{secretKeyRef: {{name: tokens, key: {key}}}}}}}
"""
BINDING = """
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: binding, namespace: shop}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: {kind}, name: {role}}}
subjects:
  - {{kind: User, name: alice}}
  - {{kind: ServiceAccount, name: robot, namespace: tools}}
"""
ROLE = """
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: reader, namespace: shop}}
rules:
  - {rule}
"""


def deployment(name: str, variable: str = "VAULT_TOKEN", key: str = "vault") -> str:
    return DEPLOYMENT.format(name=name, variable=variable, key=key)


def readers(rule: str) -> object:
    (fail,) = reading.fails(
        "secret-in-env",
        a_yaml=deployment("api"),
        b_yaml=ROLE.format(rule=rule),
        c_yaml=BINDING.format(kind="Role", role="reader"),
    )
    return reading.figures(fail)["principals_who_can_read"]


@pytest.mark.parametrize(
    ("rule", "count"),
    [
        ('{apiGroups: [""], resources: [secrets], verbs: [get]}', 2),
        ('{apiGroups: [""], resources: [secrets], verbs: [list]}', 2),
        ('{apiGroups: ["*"], resources: ["*"], verbs: ["*"]}', 2),
        ('{apiGroups: [""], resources: [secrets], verbs: [get], resourceNames: [tokens]}', 2),
        ('{apiGroups: [""], resources: [secrets], verbs: [get], resourceNames: [other]}', 0),
        ('{apiGroups: [""], resources: [secrets], verbs: [create]}', 0),
        ('{apiGroups: [apps], resources: [secrets], verbs: [get]}', 0),
        ('{apiGroups: [""], resources: [pods/exec], verbs: [create]}', 2),
        ('{apiGroups: [""], resources: ["*/exec"], verbs: [create]}', 2),
        ('{apiGroups: [""], resources: [pods/exec], verbs: [create], resourceNames: [api-0]}', 2),
        ('{apiGroups: [""], resources: [pods/exec], verbs: [create], resourceNames: [search-0]}', 0),
        ('{apiGroups: [""], resources: [pods], verbs: [get, list]}', 0),
    ],
)  # fmt: skip
def test_who_reads_the_secret_or_opens_a_shell_is_counted_and_nobody_else(rule: str, count: int) -> None:
    assert readers(rule) == count


def test_reading_pods_alone_does_not_show_the_token_whatever_the_analysis_says() -> None:
    (fail,) = reading.fails(
        "secret-in-env", a_yaml=deployment("api"), b_yaml=BINDING.format(kind="ClusterRole", role="view")
    )
    quantity = next(each for each in fail.quantities if each.name == "principals_who_can_read")
    assert quantity.value == 0
    assert any("reference" in each for each in quantity.assumptions)


def test_a_role_that_is_not_here_is_named_and_its_subjects_are_not_guessed() -> None:
    outcome = reading.outcome(
        "secret-in-env", a_yaml=deployment("api"), b_yaml=BINDING.format(kind="ClusterRole", role="custom")
    )
    assert "principals_who_can_read" not in reading.figures(outcome.found[0].fail)
    assert outcome.tallies[0].unsure[0].provide.startswith("facts: secrets.tokens.principals")


def test_a_role_may_be_put_together_from_others_by_label() -> None:
    aggregated = """
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: custom}
aggregationRule: {clusterRoleSelectors: [{matchLabels: {to: custom}}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: part, labels: {to: custom}}
rules: [{apiGroups: [""], resources: [secrets], verbs: [get]}]
"""
    (fail,) = reading.fails(
        "secret-in-env",
        a_yaml=deployment("api"),
        b_yaml=BINDING.format(kind="ClusterRole", role="custom"),
        c_yaml=aggregated,
    )
    assert reading.figures(fail)["principals_who_can_read"] == 2


def test_workloads_of_one_secret_are_one_finding_and_another_key_is_another() -> None:
    fails = reading.fails(
        "secret-in-env",
        a_yaml=deployment("api"),
        b_yaml=deployment("worker"),
        c_yaml=deployment("bot", "GITHUB_TOKEN", "github"),
    )
    shared = {fail.detail: reading.figures(fail)["workloads_sharing_secret"] for fail in fails}
    assert shared == {"vault": 2, "github": 1}
    assert {fail.detail: fail.severity for fail in fails} == {"vault": None, "github": Severity.MEDIUM}


def test_a_token_that_is_written_out_is_told_without_its_value() -> None:
    secret = "hvs." + "Ab1" * 10
    (fail,) = reading.fails("secret-in-env", app_env=f"PORT=8000\nVAULT_TOKEN={secret}\nNAME_TOKEN=plain\n")
    assert fail.places[0].line == 2
    assert fail.severity == Severity.CRITICAL
    assert secret not in repr(fail)


@pytest.mark.parametrize("variable", ["TOKEN_URL", "MAX_TOKENS", "DATABASE_PASSWORD", "TOKENIZER"])
def test_what_is_no_token_passes(variable: str) -> None:
    outcome = reading.outcome("secret-in-env", a_yaml=deployment("api", variable))
    assert (outcome.found, outcome.tallies[0].passed) == ((), 1)


@given(st.lists(st.sampled_from(["api", "worker", "bot", "report"]), max_size=12), st.sampled_from(["api", "web"]))
@settings(max_examples=examples(100), deadline=None)
def test_one_more_workload_never_shrinks_the_blast_radius(subjects: list[str], more: str) -> None:
    before = secret_in_env.workloads_sharing(subjects)
    assert before <= secret_in_env.workloads_sharing([*subjects, more]) <= before + 1


CONFIG_MAP = """
apiVersion: v1
kind: ConfigMap
metadata: {{name: api, namespace: shop}}
data:
  {line}
"""


@pytest.mark.parametrize(
    "line",
    [
        "DB_PASSWORD: hunter2",
        'POSTGRES_PASSWORD: "20190817"',
        "db.password: hunter2",
        "SMTP_PASS: hunter2",
        "DATABASE_URL: postgres://shop:hunter2@db:5432/shop",
        "application.yml: |\n    spring:\n      datasource: {password: hunter2}",
        "app.properties: |\n    spring.datasource.password=hunter2",
        "grafana.ini: |\n    [security]\n    admin_password = hunter2",
        "ShopDb: Server=db;User Id=shop;Password=hunter2;",
        "SHOP_URL: jdbc:postgresql://db/shop?user=shop&password=hunter2",
        "REDIS: cache:6380,password=hunter2,ssl=True",
        "jaas: org.example.Login required username='shop' password='hunter2';",
        "PGPASSWORD: hunter2",
        "roles.sql: |\n    CREATE USER shop\n    ALTER ROLE shop WITH ENCRYPTED PASSWORD 'hunter2';",
        "shop.sh: |\n    mysql -e \"CREATE USER shop IDENTIFIED BY 'hunter2'\"",
        "roles.sql: |\n    CREATE USER 'shop'@'%' IDENTIFIED WITH mysql_native_password BY 'hunter2';",
        "roles.sql: |\n    GRANT ALL ON shop.* TO 'shop' IDENTIFIED BY 'hunter2';",
        "users.acl: |\n    user shop on ~* &* +@all >hunter2",
        "users.acl: |\n    user shop on >hunter2 ~* +@all",
        "application: |\n    database: {user: shop, password: hunter2}",
        'realm.json: |\n    {"users": [{"username": "a", "credentials": [{"type": "password", "value": "hunter2"}]}]}',
        'realm.json: |\n    {"clients": [\n    {"clientId": "a", "secret": "hunter2"}]}',
    ],
)
def test_a_password_in_a_config_map_is_told_without_its_value(line: str) -> None:
    text = CONFIG_MAP.format(line=line)
    platform = reading.platform(a_yaml=text)
    outcome = reading.outcome("secret-in-env", a_yaml=text)
    (fail,) = (each.fail for each in outcome.found)
    assert reading.figures(fail) == {"credentials_written_out": 1}
    assert fail.severity is Severity.HIGH
    told = telling.told("1", platform, outcome, lanes.decide)
    for shown in (repr(fail), repr(telling.as_json(told)), repr(telling.as_sarif(told))):
        assert "hunter2" not in shown
        assert "20190817" not in shown


@pytest.mark.parametrize(
    "line",
    [
        'DB_PASSWORD: ""',
        "DB_PASSWORD: ${DB_PASSWORD}",
        "DB_PASSWORD: $(DB_PASSWORD)",
        "DB_PASSWORD: abc${SUFFIX}",
        "DB_PASSWORD: changeme",
        "DB_PASSWORD: <your-password>",
        "DB_PASSWORD: unused",
        "DB_PASSWORD: none",
        "DB_PASSWORD: __DB_PASSWORD__",
        "DB_PASSWORD: vault:secret/data/db#password",
        "DB_PASSWORD: /run/secrets/db",
        "DB_PASSWORD_FILE: /run/secrets/db",
        "DB_PASSWORD: 'ENC[AES256_GCM,data:abc,iv:def]'",
        "DB_PASSWORD: '{cipher}AQB1x0vK3'",
        "DB_PASSWORD: op://shop/database/password",
        "DB_PASSWORD: env:DATABASE_PASSWORD",
        "DB_PASSWORD: $2a$10$abcdefghijklmnopqrstuv",
        "MIN_PASSWORD_LENGTH: '12'",
        "PASSWORD_RESET_URL: https://shop.example/reset",
        "forgot_password: Forgot your password?",
        "password: Password",
        "LOG_PASSWORD: 'false'",
        'db.password: |\n    {{ with secret "database/creds/shop" }}{{ .Data.password }}{{ end }}',
        "DATABASE_URL: postgres://shop:$(DB_PASSWORD)@db:5432/shop",
        "DATABASE_URL: postgres://shop@db:5432/shop",
        "application.yml: |\n    spring:\n      datasource: {password: '${DB_PASSWORD:}'}",
        'realm.json: |\n    {"resetPasswordAllowed": true, "clients": [{"clientId": "a", "secret": "****"}]}',
        "ALLOW_EMPTY_PASSWORD: 'y'",
        "RESET_PASSWORD: monthly",
        "DB_PASSWORD: DB_PASSWORD",
        "DB_PASSWORD: '%(ENV_DB_PASSWORD)s'",
        "MONGO_URL: mongodb://USER:PASSWORD@db/shop",
        "ShopDb: Server=db;User Id=shop;Password=$(DB_PASSWORD);",
        "ShopDb: Server=db;Password=<your password>;",
        "ShopDb: Server=db;Integrated Security=true;",
        "start.sh: |\n    user add shop >/dev/null\n    user mod shop + >log",
        "roles.sql: |\n    CREATE USER shop WITH PASSWORD '$SHOP_PASSWORD';",
        "roles.sql: |\n    CREATE USER shop WITH PASSWORD $SHOP_PASSWORD;",
        "roles.sql: |\n    CREATE USER shop PASSWORD '%s';",
        "roles.sql: |\n    CREATE USER shop PASSWORD 'PASSWORD';",
        "roles.sql: |\n    -- CREATE USER shop PASSWORD 'hunter2';",
        "roles.sql: |\n    CREATE USER shop PASSWORD 'md5d41d8cd98f00b204e9800998ecf8427e';",
        "roles.sql: |\n    CREATE USER shop IDENTIFIED BY PASSWORD '*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19';",
        "roles.sql: |\n    CREATE TABLE users (password TEXT DEFAULT 'nothing');",
        "login: |\n    def login(password: str): return check(password=password)\n    # password: hunter2",
    ],
)
def test_what_only_says_where_a_password_is_or_is_none_is_not_told(line: str) -> None:
    assert reading.fails("secret-in-env", a_yaml=CONFIG_MAP.format(line=line)) == []


def test_a_very_long_name_takes_no_longer_than_its_end() -> None:
    began = time.process_time()
    assert written_out.is_password("allow_" * 20_000 + "x_passphrase", "hunter2")
    assert time.process_time() - began < 1


POD = """
apiVersion: v1
kind: Pod
metadata: {{name: api, namespace: shop}}
spec:
  containers:
    - name: main
      image: registry.example/main:1
      env:
        - name: {name}
          value: "{value}"
"""


@pytest.mark.parametrize(
    ("name", "value", "severity"),
    [
        ("DB_PASSWORD", "h7-not-real-k2", Severity.HIGH),
        ("DATABASE_URL", "postgres://api:h7-not-real-k2@db/shop", Severity.HIGH),
        ("DATABASE_URL", "postgres://user:pass@host/db", None),
        ("DB_PASSWORD", "dev-4711", Severity.LOW),
        ("DB_PASSWORD", "testpassword", Severity.LOW),
        ("DB_PASSWORD", "localized1", Severity.HIGH),  # no word of its own
        ("DB_PASSWORD", "latest-4711", Severity.HIGH),
        ("SECRET_KEY", "django-insecure-9x8$w7v6u5t4s3r2q1p0", Severity.LOW),
        ("JWT_SECRET", "0123456789abcdef0123456789abcdef", Severity.HIGH),
        ("Auth__JwtSecret", "aB3dE5gH7jK9mN1pQ3sT", Severity.HIGH),
        ("password_token", "aB3dE5gH7jK9mN1pQ3sT", Severity.HIGH),
        ("JWT_SECRET", "api-jwt-secret", None),  # the name of a Secret
        ("JWT_SECRET", "our-jwt-secret-2024", None),
        ("SECRET_KEY", "aB3dE5", None),  # short: a placeholder, or a number of a key
        ("SECRET_KEY", "aaaaaaaaaaaaaaaaaaaaB1", None),
        ("SECRET_KEY", "/etc/keys/signing.pem", None),
        ("SECRET_KEY", "change-me-aB3dE5gH7jK9mN1p", None),
        ("SECRET_KEY_ID", "aB3dE5gH7jK9mN1pQ3sT", None),
        ("PUBLIC_KEY", "aB3dE5gH7jK9mN1pQ3sT", None),
        ("DB_PASSWORD", "$(OTHER)", None),
        ("DB_PASSWORD", "", None),
    ],
)
def test_a_credential_in_the_environment_of_a_pod_is_told_and_what_is_none_is_not(
    name: str, value: str, severity: Severity | None
) -> None:
    found = reading.fails("secret-in-env", pod_yaml=POD.format(name=name, value=value))
    assert [fail.severity for fail in found] == ([severity] if severity else [])
    assert not value or value not in repr(found)


@pytest.mark.parametrize(
    ("value", "is_told"),
    [
        ("ghp_zQ4mT9xKc2LbV7nRw8sYp1JdHf6GuEa3X5oB", True),
        ("hvs.CAESIJ1zQ4mT9xKc2LbV7nRw8sYp1JdHf6GuEa3X5oB0x", True),
        ("https://hooks.slack.com/services/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", True),
        ("ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", False),
        ("xoxb-your-token-goes-here-please", False),
        ("SG.internal.loadbalancer.frontend.prod", False),
        ("npm_config_cache_directory_path_of_the", False),
    ],
)
def test_a_token_is_known_by_its_form_whatever_it_is_called(value: str, *, is_told: bool) -> None:
    found = reading.fails("secret-in-env", pod_yaml=POD.format(name="A", value=value))
    assert len(found) == is_told
    assert value not in repr(found)


def test_what_a_config_map_gives_a_pod_is_told_at_the_config_map_alone() -> None:
    config_map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: shop}\ndata: {DB_PASSWORD: h7-x-k2}\n"
    pod = POD.format(name="A", value="b").replace("env:", "envFrom: [{configMapRef: {name: c}}]\n      env:")
    (fail,) = reading.fails("secret-in-env", pod_yaml=pod, map_yaml=config_map)
    assert fail.subject == "ConfigMap/shop/c"


TERRAFORM = """
variable "default" {
  default = "h7-not-real-k2"
}
locals {
  own = "h7-not-real-k2"
}
resource "%s" "a" {
  %s
}
"""
OF_FUNCTION = 'environment {\n    variables = { DB_PASSWORD = "h7-not-real-k2" }\n  }'
OF_POD = 'spec {\n container {\n env {\n name  = "DB_PASSWORD"\n value = "h7-not-real-k2"\n }\n }\n }'
OF_TASK = 'container_definitions = jsonencode([{ environment = [{ name = "DB_PASSWORD", value = "h7-not-real-k2" }] }])'


@pytest.mark.parametrize(
    ("kind", "text", "names"),
    [
        ("aws_db_instance", 'password = "h7-not-real-k2"', ["password"]),
        ("aws_db_instance", "password = local.own", ["password"]),
        ("aws_db_instance", "password = var.default", []),
        ("aws_db_instance", 'password = "CHANGE_ME"', []),
        ("aws_db_instance", "password = random_password.a.result", []),
        ("aws_rds_cluster", 'master_password = "h7-not-real-k2"', ["master_password"]),
        ("aws_lambda_function", OF_FUNCTION, ["DB_PASSWORD"]),
        ("kubernetes_deployment", OF_POD, ["DB_PASSWORD"]),
        ("kubernetes_secret", 'data = { DB_PASSWORD = "h7-not-real-k2" }', []),
        ("aws_ecs_task_definition", OF_TASK, ["DB_PASSWORD"]),
    ],
)
def test_a_literal_in_terraform_is_told_and_what_a_caller_sets_is_not(kind: str, text: str, names: list[str]) -> None:
    found = reading.fails("secret-in-env", main_tf=TERRAFORM % (kind, text))
    assert [each.name for fail in found for each in fail.quantities[0].inputs] == names


def test_values_beside_a_chart_are_told_and_defaults_weigh_less() -> None:
    chart = "apiVersion: v2\nname: shop\nversion: 1.0.0\n"
    values = "database: {password: h7-not-real-k2}\n"
    (fail,) = reading.fails("secret-in-env", Chart_yaml=chart, values_yaml=values)
    assert fail.severity == Severity.MEDIUM
    files = {"Chart_yaml": chart, "values-prod_yaml": values}
    (fail,) = reading.fails("secret-in-env", **files)
    assert fail.severity == Severity.HIGH
    (fail,) = reading.fails("secret-in-env", values_yaml=values)
    assert fail.severity == Severity.MEDIUM, "of a chart that is elsewhere"
    (fail,) = reading.fails("secret-in-env", **{"grafana-values_yaml": values})
    assert fail.severity == Severity.HIGH


@pytest.mark.parametrize(
    ("variable", "severity"),
    [
        ("VAULT_TOKEN", "critical"), ("CI_VAULT_TOKEN", "critical"), ("AWS_SECRET_ACCESS_KEY", "critical"),
        ("GITHUB_TOKEN", "medium"), ("token", "medium"), ("TOKENS", None), ("DB_PASSWORD", None),
    ],
)  # fmt: skip
def test_a_token_that_opens_further_ones_is_worse_than_another(variable: str, severity: str | None) -> None:
    found = reading.outcome("secret-in-env", a_yaml=deployment("api", variable)).found
    assert [str(each.severity) for each in found] == ([severity] if severity else [])


def test_one_of_several_names_that_opens_more_is_enough() -> None:
    two = deployment("api", "VAULT_TOKEN") + "---" + deployment("web", "GITHUB_TOKEN")
    (found,) = reading.outcome("secret-in-env", a_yaml=two).found
    assert str(found.severity) == "critical"
    assert found.fail.title == "VAULT_TOKEN, GITHUB_TOKEN is in the environment of 2 workloads"
    (shared, *_) = found.fail.quantities
    assert (shared.value, [(each.name, each.value, each.source) for each in shared.inputs]) == (
        2, [("Deployment/shop/api", 1, "file"), ("Deployment/shop/web", 1, "file")],
    )  # fmt: skip


def test_a_workload_without_a_token_passes_and_one_with_a_doubt_does_not() -> None:
    other = deployment("web", "LOG_LEVEL", "level")
    assert reading.outcome("secret-in-env", a_yaml=deployment("api"), b_yaml=other).tallies[0].passed == 1
    whole = other.replace(
        "env:\n            - {name: LOG_LEVEL, valueFrom: {secretKeyRef: {name: tokens, key: level}}}",
        "envFrom: [{secretRef: {name: more}}]",
    )
    tally = reading.outcome("secret-in-env", a_yaml=whole).tallies[0]
    assert (tally.passed, [each.provide for each in tally.unsure]) == (0, ["facts: secrets.more.keys"])


def test_how_many_can_read_it_may_be_stated() -> None:
    (fail,) = reading.fails("secret-in-env", a_yaml=deployment("api"), facts="secrets: {tokens: {principals: 1}}")
    assert fail.title == "VAULT_TOKEN is in the environment of 1 workload; 1 principal can read it"
    assert fail.quantities[1].inputs[0].source == "facts"


GITHUB = "ghp_" + "a1B2" * 9


def test_a_token_that_is_written_out_is_told_once_for_each_place() -> None:
    outcome = reading.outcome(
        "secret-in-env", a_yaml=f"ci:\n  github_token: {GITHUB}\n  other: {{github_token: {GITHUB}}}\n"
    )
    told = [(each.fail.title, str(each.severity)) for each in outcome.found]
    assert told == [("The value of github_token is written out", "critical")]
    (shared,) = outcome.found[0].fail.quantities
    assert (shared.name, shared.value, shared.unit) == ("workloads_sharing_secret", 1, "workloads")
    assert GITHUB not in str(outcome.found[0].fail)
    assert reading.fails("secret-in-env", a_yaml="ci: {github_token: $(TOKEN)}\n") == []


def config_map(**values: str) -> str:
    data = "".join(f"  {name}: {value}\n" for name, value in values.items())
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings}}\ndata:\n{data}"


@pytest.mark.parametrize(("count", "names"), [(1, "P0"), (4, "P0, P1, P2, P3"), (5, "P0, P1, P2, P3 …")])
def test_of_many_credentials_four_are_named(count: int, names: str) -> None:
    values = {f"P{number}_PASSWORD": f"Xk39!vQ{number}zLp77" for number in range(count)}
    (fail,) = reading.fails("secret-in-env", a_yaml=config_map(**values))
    shown = names.replace(",", "_PASSWORD,").replace(" …", "_PASSWORD …")
    shown = shown if shown.endswith("…") else f"{shown}_PASSWORD"
    assert fail.title == f"{count} credential{'' if count == 1 else 's'} written out in a ConfigMap: {shown}"
    assert reading.figures(fail) == {"credentials_written_out": count}

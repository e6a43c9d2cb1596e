"""Files in, one platform out: nothing that can be read is lost, and nothing that cannot is silent."""

import itertools
import json
import re
from typing import Any

import pytest

from findings.platform import comments, reader
from findings.platform.files import File, Skipped
from findings.platform.model import Platform
from platform_risk.quantities.sourced import Sourced, Unknown

DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  replicas: 3
  template:
    spec:
      containers:
        - name: api
          command: [gunicorn, --workers, "4"]
          envFrom:
            - configMapRef: {name: settings}
            - secretRef: {name: token}
          env:
            - {name: POOL_SIZE, value: "20"}
            - name: ACKS
              valueFrom: {configMapKeyRef: {name: settings, key: acks}}
"""
CONFIG = """apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop}
data:
  acks: "1"
  app.yaml: |
    kafka:
      # how it is written
      producer:
        linger: 5
  app.properties: |
    # one
    pool.size = 7
"""


def platform(*texts: tuple[str, str], facts: str | None = None) -> Platform:
    given = File("facts.yaml", facts) if facts is not None else None
    return reader.read([File(path, text) for path, text in texts], given)


def settings(found: Platform) -> dict[str, Any]:
    return {each.key: each.value.value for each in found.settings}


def test_a_workload_states_its_environment_whatever_it_takes_it_from() -> None:
    found = platform(("a.yaml", DEPLOYMENT), ("b.yaml", CONFIG))
    (workload,) = found.workloads
    assert workload.id == "Deployment/shop/api"
    env = workload.containers[0].env
    assert {name: each.value.value for name, each in env.items() if each.value} == {
        "POOL_SIZE": "20",
        "ACKS": "1",
        "acks": "1",
        "app.yaml": env["app.yaml"].value.value if env["app.yaml"].value else "",
        "app.properties": env["app.properties"].value.value if env["app.properties"].value else "",
    }
    assert workload.containers[0].secrets[0].secret == "token"
    of_workload = {each.name: each.value for each in found.settings_like("pool_size|workers|acks", workload.id)}
    assert {name: each.value for name, each in of_workload.items()} == {"pool_size": 20, "workers": 4, "acks": 1}
    assert of_workload["pool_size"].place.line == 15


def test_settings_are_found_by_the_words_they_end_with_in_the_order_in_which_they_stand() -> None:
    text = "b: {pollInterval: 1}\ninterval: 2\npoll_intervals: 3\na.poll.interval: 4\nspoll_interval: 5\n"
    found = platform(("settings.yaml", text))
    assert [each.value.value for each in found.settings_ending("interval")] == [1, 2, 4, 5]
    assert [each.value.value for each in found.settings_ending("poll_interval", "interval")] == [1, 2, 4, 5]
    assert [each.value.value for each in found.settings_ending("poll_interval")] == [1, 4]
    assert found.names_like(re.compile(r"(?:.*_)?poll_\w+"), ("intervals",)) == ["poll_intervals"]
    assert found.names_like("interval") == ["interval"]


def test_what_a_config_map_holds_has_the_lines_of_its_own_file() -> None:
    found = platform(("b.yaml", CONFIG))
    lines = {each.key: each.value.place.line for each in found.settings}
    assert lines["kafka.producer.linger"] == 10
    assert lines["pool.size"] == 13
    assert {each.scope for each in found.settings} == {"ConfigMap/shop/settings"}


def test_the_objects_of_a_list_are_objects() -> None:
    text = "apiVersion: v1\nkind: List\nitems:\n" + "\n".join(
        f"  - {{apiVersion: v1, kind: Service, metadata: {{name: s{n}}}}}" for n in range(3)
    )
    found = platform(("list.yaml", text))
    assert [each.id for each in found.of_kind("Service")] == ["Service/s0", "Service/s1", "Service/s2"]
    assert [each.line for each in found.resources] == [4, 5, 6]


def test_a_broken_document_is_named_and_the_file_counts_as_read() -> None:
    found = platform(("a.yaml", DEPLOYMENT + "---\nx: [1\n---\n" + CONFIG))
    assert len(found.resources) == 2
    assert found.files_read == ("a.yaml",)
    assert [(each.path, each.line) for each in found.skipped] == [("a.yaml", 20)]


def test_a_template_that_was_not_rendered_is_skipped_by_name() -> None:
    found = platform(("a.yaml", "replicas: {{ .Values.n }}\n"))
    assert found.skipped == (Skipped("a.yaml", "a template of Helm or the like, not rendered", 1),)
    assert not found.files_read


FILES = [
    ("a.yaml", DEPLOYMENT), ("b.yml", CONFIG), ("c.json", '{"a": 1}'), ("d.toml", "[x]\ny = 1\n"),
    ("e.toml", "= broken"),
    ("f.properties", "a=1\n"), ("g.env", "A=1\n"), (".env.production", "A=1\n"), ("h.py", "x = 1\n"),
    ("i.py", "def (:\n"),
    ("Dockerfile", "FROM a\nENV B=1\n"), ("j.tf", 'resource "a" "b" {}\n'), ("k.tf", "resource {{{"), ("l.txt", "text"),
    ("m.yaml", ""), ("n.yaml", "a: [1\n"), ("package-lock.json", "{}"), ("o.yaml.sed", "a: NAME\n"),
    ("platform-risk.yaml", "- 1\n"),
    ("p.tfvars", "a = 1\n"), ("q.tf.json", "{}"), ("no-ending", ""),
]  # fmt: skip


def test_every_file_is_read_or_skipped() -> None:
    found = platform(*FILES)
    assert {path for path, _ in FILES} == {*found.files_read, *(each.path for each in found.skipped)}
    assert all(each.reason for each in found.skipped)
    assert len(found.files_read) == len(set(found.files_read))


@pytest.mark.parametrize("name", [path for path, _ in FILES])
def test_no_file_ends_the_reading_of_the_others(name: str) -> None:
    files = [*(pair for pair in FILES if pair[0] == name), ("zz.yaml", DEPLOYMENT)]
    assert len(platform(*files).workloads) >= 1


def test_files_in_any_order_make_the_same_platform() -> None:
    texts = [("a.yaml", DEPLOYMENT), ("b.yaml", CONFIG), ("c.env", "A=1\n")]
    first = platform(*texts)
    for order in itertools.permutations(texts):
        found = platform(*order)
        assert {repr(each) for each in found.resources} == {repr(each) for each in first.resources}
        assert {repr(each) for each in found.settings} == {repr(each) for each in first.settings}
        assert {repr(each) for each in found.workloads} == {repr(each) for each in first.workloads}


def test_facts_beside_the_configuration_are_read_with_lines_and_given_ones_win() -> None:
    beside = ("deploy/platform-risk.yaml", "databases:\n  main:\n    max_connections: 100\n")
    found = platform(beside).facts
    stated = found.number("databases.main.max_connections")
    assert stated is not None
    assert (stated.value, stated.place.path, stated.place.line) == (100, "deploy/platform-risk.yaml", 3)
    assert (
        platform(beside, facts="databases: {main: {max_connections: 5}}").facts.get("databases.main.max_connections")
        != stated
    )
    assert found.number("databases.main") is None
    assert found.get("databases.other") is None


def test_of_several_files_of_facts_the_one_nearest_to_the_top_counts_whatever_comes_first() -> None:
    near, deep, deeper = ("b/platform-risk.yaml", "a: 1\n"), ("c/platform-risk.yaml", "b: 1\n"), (
        "a/b/platform-risk.yml", "c: 1\n")  # fmt: skip
    for order in itertools.permutations((near, deep, deeper)):
        found = platform(*order)
        assert (found.facts.path, found.files_read) == (near[0], (near[0],))
        others = {each.path: each.reason for each in found.skipped if each.path != near[0]}
        assert others.keys() == {deep[0], deeper[0]}
        assert all(reason.startswith("the facts are those of ") for reason in others.values())


def test_facts_that_cannot_be_read_leave_those_that_can() -> None:
    for first, second in itertools.permutations(
        (("platform-risk.yaml", "a: [1\n"), ("a/platform-risk.yaml", "a: 1\n"))
    ):
        found = platform(first, second)
        assert found.facts.path == "a/platform-risk.yaml"
        assert found.files_read == ("a/platform-risk.yaml",)
        assert "platform-risk.yaml" in {each.path for each in found.skipped}


@pytest.mark.parametrize(
    ("path", "is_of_a_kind"),
    [
        ("a/api.yaml", True), ("api.YML", True), ("a.json", True), ("app.py", True), ("main.tf", True),
        ("a.tfvars", True), ("a.properties", True), ("a/.env", True), (".env.production", True),
        ("api/Dockerfile", True), ("Dockerfile.web", True), ("api.yaml.example", True), ("a.toml.dist", True),
        ("readme.md", False), ("yaml", False), ("a/env", False), ("photo.png", False), ("a.example", False),
    ],
)  # fmt: skip
def test_a_file_is_of_a_kind_that_is_read_by_its_name(path: str, is_of_a_kind: bool) -> None:
    assert reader.is_read(path) is is_of_a_kind
    skipped = [each.reason for each in platform((path, "{}")).skipped]
    assert (reader.NO_KIND in skipped) is not is_of_a_kind


@pytest.mark.parametrize("text", ["- 1\n", "a: [1\n", "just text\n", ""])
def test_facts_that_are_no_mapping_are_named(text: str) -> None:
    found = platform(("platform-risk.yaml", text))
    assert [each.path for each in found.skipped] == ["platform-risk.yaml"]
    assert found.facts.tree == {}


@pytest.mark.parametrize(
    ("kind", "replicas", "expected"),
    [
        ("Deployment", "", 1), ("Deployment", "replicas: 5", 5), ("Deployment", "replicas: '5'", None),
        ("Deployment", "replicas: true", None), ("StatefulSet", "replicas: 0", 0), ("DaemonSet", "", None),
        ("Job", "", 1),
    ],
)  # fmt: skip
def test_replicas_are_stated_or_the_default_of_the_kind_or_unknown(
    kind: str, replicas: str, expected: int | None
) -> None:
    text = (
        f"apiVersion: apps/v1\nkind: {kind}\nmetadata: {{name: x}}\nspec:\n  template: {{spec: {{}}}}\n  {replicas}\n"
    )
    stated = platform(("a.yaml", text)).workloads[0].replicas
    if expected is None:
        assert isinstance(stated, Unknown)
        assert stated.provide
    else:
        assert isinstance(stated, Sourced)
        assert stated.value == expected


def test_the_last_stage_of_a_dockerfile_says_what_runs() -> None:
    text = 'FROM base AS build\nENV A=0\nCMD ["no"]\nFROM run\nENV WORKERS=4 \\\n    X="a b"\nCMD ["gunicorn", "app"]\n'
    found = platform(("Dockerfile", text))
    assert settings(found)["WORKERS"] == 4
    assert settings(found)["X"] == "a b"
    assert "A" not in {each.key for each in found.settings}
    root = found.configs[0].root
    assert (list(root["cmd"]), list(root["from"])) == (["gunicorn", "app"], ["base", "run"])


def test_python_states_literal_defaults_and_literal_arguments() -> None:
    text = (
        "class Settings:\n    num_workers: int = 4\n    ttl = 5 * 60\n    computed = f()\n"
        "engine = create_engine(url, pool_size=10, max_overflow=n)\nx: int = Field(default=7)\n"
    )
    found = platform(("app.py", text))
    assert settings(found) == {"Settings.num_workers": 4, "Settings.ttl": 300, "x": 7}
    (call,) = found.calls_of("create_engine")
    assert {name: each.value for name, each in call.arguments.items()} == {"pool_size": 10}
    assert call.place.line == 5


def test_two_lines_that_somebody_pasted_into_python_are_settings() -> None:
    found = platform(("app.py", 'num_workers: int = 4\nWORKER_THREADS: "7"\n'))
    assert {each.name: each.value.value for each in found.settings} == {"num_workers": 4, "worker_threads": "7"}


def test_json_may_hold_letters_in_two_halves_and_comments() -> None:
    text = '{\n  // of the editor\n  "title": "fire \\ud83d\\udd25 and \\\\ud83d", /* of\n two lines */ "url": "https://a.example"\n}'
    found = platform(("settings.json", text))
    assert settings(found) == {"title": "fire \U0001f525 and \\ud83d", "url": "https://a.example"}
    assert [each.value.place.line for each in found.settings] == [3, 4]
    assert found.skipped == ()


def test_json_that_is_broken_beside_its_comments_is_broken() -> None:
    found = platform(("settings.json", '{"a": 1 // one\n "b": 2}'))
    assert [each.reason.partition(":")[0] for each in found.skipped] == ["not JSON"]


KUSTOMIZED = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  selector: {matchLabels: {app: api}}
  template: {metadata: {labels: {app: api}}, spec: {containers: [{name: api, image: a}]}}
"""
SCALED = """
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: api, namespace: orders}
spec: {scaleTargetRef: {kind: Deployment, name: api}, maxReplicas: 9}
"""


def test_kustomize_puts_objects_beside_it_into_its_namespace_and_they_keep_what_they_are_called() -> None:
    kustomization = "namespace: orders\nresources: [api.yaml, scaler.yaml]\n"
    found = platform(("k/api.yaml", KUSTOMIZED), ("k/kustomization.yaml", kustomization), ("k/scaler.yaml", SCALED))
    (workload,) = found.workloads
    assert (workload.id, workload.resource.namespace) == ("Deployment/api", "orders")
    assert found.autoscaler_of(workload) is not None


def test_an_overlay_is_in_the_namespace_that_its_base_is_put_into() -> None:
    secret = "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: token}\n"
    found = platform(
        ("base/api.yaml", KUSTOMIZED), ("base/kustomization.yaml", "namespace: orders\nresources: [api.yaml]\n"),
        ("base/scaler.yaml", SCALED), ("live/secret.yaml", secret),
        ("live/kustomization.yaml", "resources: [../base]\n"),
    )  # fmt: skip
    assert [each.namespace for each in found.of_kind("ExternalSecret")] == ["orders"]


def test_objects_that_all_leave_the_namespace_to_kustomize_are_left_as_they_are() -> None:
    found = platform(("k/api.yaml", KUSTOMIZED), ("k/kustomization.yaml", "namespace: orders\n"))
    assert found.workloads[0].resource.namespace == ""


def test_comments_without_number_that_ask_for_checks_to_be_ignored_are_bounded_and_said() -> None:
    word = "# platform-risk: ignore probes: none needed"
    for text in (
        f"{word}\n" * 50_000 + "a: 1\n" * 50_000,  # a run of them above one block
        "\n".join(f"k{n}: 1 {word}" for n in range(50_000)),
        "\n".join(f"{' ' * n}k{n}: {word}" for n in range(1_500)) + "\n" * 500_000 + "end: 1",
    ):
        read = reader.read([File("many.conf", text)])
        assert len(read.comments) == comments.MOST_COMMENTS
        assert [each.line for each in read.skipped if "the others are not read" in each.reason] == [1001]


# What a scan holds at once


def test_more_values_than_are_held_at_once_are_left_out_and_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MOST_VALUES", 60)
    files = [
        File("a.yaml", DEPLOYMENT),
        File("b.yaml", "a: [" + "{}," * 100 + "]"),
        File("c.tf", "a = 1\n" * 15),  # each a node of the grammar with others below it
        File("d.yaml", "replicas: 3\n"),
    ]
    read = reader.read(files)
    assert read.files_read == ("a.yaml", "d.yaml")
    assert [each.path for each in read.skipped if each.is_error] == ["b.yaml", "c.tf"]
    assert all(each.reason.endswith("hand in less at a time") for each in read.skipped)


def test_python_of_more_than_a_module_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MOST_OF_PYTHON", 20)
    read = reader.read([File("a.py", "num_workers: int = 4\n" * 2), File("b.py", "workers: int = 4\n")])
    assert read.files_read == ("b.py",)
    assert [each.path for each in read.skipped] == ["a.py"]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("data.json", json.dumps({"points": list(range(60))})),
        ("bomb.yaml", "a: &a [1, 2, 3, 4]\nb: &b [*a, *a, *a, *a]\nc: [*b, *b, *b, *b]\n"),
        ("words.properties", "".join(f"word{number}=1\n" for number in range(60))),
    ],
)
def test_data_is_not_taken_for_settings(monkeypatch: pytest.MonkeyPatch, path: str, text: str) -> None:
    monkeypatch.setattr(reader, "MOST_OF_A_FILE", 50)
    read = reader.read([File(path, text), File("app.yaml", "pool: {size: 5}\n")])
    assert [each.key for each in read.settings] == ["pool.size"]
    assert [(each.path, each.is_error) for each in read.skipped] == [(path, False)]


def test_settings_of_very_many_files_end_somewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MOST_SETTINGS", 3)
    read = reader.read([File(f"{number}.yaml", "a: 1\nb: 2\n") for number in range(5)])
    assert len(read.settings) == 4
    assert [each.path for each in read.skipped] == ["2.yaml", "3.yaml", "4.yaml"]


def test_of_manifests_in_several_versions_the_newest_counts_and_the_others_are_named() -> None:
    extra = "---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: gone}\n"
    found = platform(
        ("edge/api-v1.9.2.yaml", DEPLOYMENT + extra), ("edge/api-v1.10.0.yaml", DEPLOYMENT),
        ("edge/1.2/job.yaml", DEPLOYMENT.replace("name: api, ", "name: job, ")),
    )  # fmt: skip
    assert [each.resource.path for each in found.workloads] == ["edge/1.2/job.yaml", "edge/api-v1.10.0.yaml"]
    assert found.skipped == (Skipped("edge/api-v1.9.2.yaml", "an older version of edge/api-v1.10.0.yaml"),)
    assert not any(each.is_error for each in found.skipped)
    assert "edge/api-v1.9.2.yaml" not in found.files_read


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("api-1.yaml", "api-2.yaml"),
        ("10.0.0.1/api.yaml", "10.0.0.2/api.yaml"),
        ("v1.1/api.yaml", "v1.2/web.yaml"),
        ("prod/api-1.1.yaml", "staging/api-1.2.yaml"),
    ],
)
def test_what_may_stand_beside_each_other_are_no_versions_of_one(one: str, other: str) -> None:
    found = platform((one, DEPLOYMENT), (other, DEPLOYMENT))
    assert len(found.workloads) == 2


def test_an_object_whose_name_is_to_be_filled_in_is_a_template() -> None:
    text = DEPLOYMENT.replace("namespace: shop", "namespace: {space}")
    found = platform(("a.yaml", f"a: 1\n---\n{text}---\n{CONFIG}"))
    assert [each.id for each in found.resources] == ["ConfigMap/shop/settings"]
    assert found.skipped == (Skipped("a.yaml", "a template of Helm or the like, not rendered", 3),)


def test_versions_that_run_under_names_of_their_own_both_count() -> None:
    found = platform(("api-1.1.yaml", DEPLOYMENT), ("api-1.2.yaml", DEPLOYMENT.replace("name: api, ", "name: api-2, ")))
    assert [each.resource.name for each in found.workloads] == ["api", "api-2"]

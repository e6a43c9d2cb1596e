"""Which environment a file is of, and which of several objects of one name belongs to it."""

import pytest

from findings.platform.nearness import ELSEWHERE, Nearness


@pytest.mark.parametrize(
    ("path", "environment"),
    [
        ("k8s/prod/api.yaml", ("production", "prod")),
        ("live/eks-staging/eu-west-1/main.tf", ("staging", "eks-staging")),
        ("clusters/dev.eu/apps/x.yaml", ("development", "dev.eu")),
        ("envs/pre-prod/x.yaml", ("preprod", "pre-prod")),
        ("envs/nonprod/x.yaml", ("nonprod", "nonprod")),
        ("prod/dev/x.yaml", ("development", "dev")),  # the innermost
        ("products/devices/x.yaml", ("", "")),
        ("deploy/prod.yaml", ("", "")),  # the name of a file, where no other names another environment
    ],
)
def test_the_environment_is_what_a_folder_says(path: str, environment: tuple[str, str]) -> None:
    assert Nearness([path]).environment_of(path) == environment


def named(*paths: str) -> dict[str, str]:
    near = Nearness(paths)
    return {path: near.environment_of(path)[0] for path in paths}


def test_files_of_one_folder_that_are_called_the_same_but_for_the_environment_are_of_it() -> None:
    assert named("k8s/api-prod.yaml", "k8s/api-staging.yaml", "k8s/api.yaml") == {
        "k8s/api-prod.yaml": "production", "k8s/api-staging.yaml": "staging", "k8s/api.yaml": "",
    }  # fmt: skip
    assert named("dev.tfvars", "prod.tfvars") == {"dev.tfvars": "development", "prod.tfvars": "production"}
    assert named("qa-api.yaml", "prd-api.yaml") == {"qa-api.yaml": "test", "prd-api.yaml": "production"}
    assert named("d/values.dev.yaml", "d/values.prod.yaml", "d/values.yaml")["d/values.dev.yaml"] == "development"
    assert set(named(".env.production", ".env.staging", ".env").values()) == {"production", "staging", ""}


def test_what_stands_once_in_a_folder_of_such_files_follows_them() -> None:
    found = named("k8s/api-prod.yaml", "k8s/api-dev.yaml", "k8s/hpa-prod.yaml", "k8s/hpa-dev.yaml", "k8s/pdb-dev.yaml")
    assert found["k8s/pdb-dev.yaml"] == "development"


@pytest.mark.parametrize(
    "path",
    [
        "k8s/productcatalog.yaml", "k8s/device.yaml", "k8s/latest.yaml", "k8s/producer.yaml",  # no whole word
        "k8s/test-runner.yaml", "k8s/dev-portal.yaml", "k8s/load-test.yaml", "k8s/first-stage.yaml",  # what it is for
        "k8s/staging-to-prod.yaml",  # of two
        "other/smoke-test.yaml",
    ],
)  # fmt: skip
def test_a_file_that_only_sounds_like_an_environment_is_of_none(path: str) -> None:
    beside = ("k8s/api-prod.yaml", "k8s/api-staging.yaml", "k8s/hpa-prod.yaml", "k8s/hpa-staging.yaml")
    assert named(path, *beside)[path] == ""


def test_a_plain_word_counts_where_another_file_has_that_of_another_environment() -> None:
    assert named("a/api-prod.yaml", "b/db-staging.yaml") == {
        "a/api-prod.yaml": "production", "b/db-staging.yaml": "staging",
    }  # fmt: skip
    assert set(named("a/api-prod.yaml", "b/db-prod.yaml").values()) == {""}


def test_regions_of_one_environment_are_told_apart_where_their_names_go_on_with_them() -> None:
    paths = ["k8s/api-prod-eu.yaml", "k8s/api-prod-us.yaml", "k8s/db-prod-eu.yaml", "k8s/db-prod-us.yaml"]
    near = Nearness(paths)
    assert near.environment_of("k8s/api-prod-us.yaml") == ("production", "prod-us")
    assert near.nearest("k8s/api-prod-us.yaml", paths[2:], str) == "k8s/db-prod-us.yaml"
    assert near.beside("k8s/api-prod-us.yaml", paths[2:3], str) == "k8s/db-prod-eu.yaml"  # where there is no other
    paths = ["k8s/api-prod-hpa.yaml", "k8s/api-dev-hpa.yaml", "k8s/api-prod-deployment.yaml"]
    assert Nearness(paths).environment_of(paths[0]) == Nearness(paths).environment_of(paths[2])
    assert Nearness(["values.prod.us-east-1.yaml", "values.dev.yaml"]).environment_of("values.prod.us-east-1.yaml") == (
        "production", "prod-us-east-1",
    )  # fmt: skip


def test_a_folder_says_more_than_a_file_unless_the_file_has_a_twin_there() -> None:
    found = named("prod/orders-staging.yaml", "prod/api.yaml", "x/web-prod.yaml")
    assert found["prod/orders-staging.yaml"] == "production"
    assert named("sandbox/api-prod.yaml", "sandbox/api-dev.yaml")["sandbox/api-dev.yaml"] == "development"
    near = Nearness(["prod-eu/values-prod.yaml", "prod-eu/values-dev.yaml"])
    assert near.environment_of("prod-eu/values-prod.yaml") == ("production", "prod-eu")


def test_folders_of_one_environment_are_near_whatever_the_tree_and_those_of_two_never() -> None:
    path = "k8s/prod-eu/api.yaml"
    known = ["k8s/staging/hpa.yaml", "k8s/base/hpa.yaml", "infra/prod-us/hpa.yaml", "infra/prod-eu/hpa.yaml"]
    near = Nearness()
    assert near.nearest(path, known, str) == "infra/prod-eu/hpa.yaml"
    assert near.nearest(path, known[:3], str) == "infra/prod-us/hpa.yaml"
    assert near.nearest(path, known[:2], str) == "k8s/base/hpa.yaml"
    assert near.beside(path, known[:1], str) is None
    assert near.shared_folders(path, known[0]) == ELSEWHERE


def test_files_of_one_environment_in_two_trees_share_no_folder() -> None:
    settings, other = "billing/src/application-prod.yml", "billing/src/application-dev.yml"
    near = Nearness([settings, other])
    assert near.shared_folders(settings, "k8s/prod/orders.yaml") > 0
    assert not near.share_a_folder(settings, "k8s/prod/orders.yaml")
    assert near.share_a_folder(settings, "billing/k8s/prod/billing.yaml")
    assert not near.share_a_folder(other, "billing/k8s/prod/billing.yaml")


def test_of_several_files_in_a_folder_the_one_of_the_same_environment_is_beside() -> None:
    paths = ["k8s/api-dev.yaml", "k8s/api-prod.yaml", "k8s/hpa-dev.yaml", "k8s/hpa-prod.yaml", "k8s/hpa.yaml"]
    near = Nearness(paths)
    assert near.beside("k8s/api-prod.yaml", paths[2:], str) == "k8s/hpa-prod.yaml"
    assert near.beside("k8s/api-prod.yaml", paths[2:3], str) is None
    assert near.beside("k8s/api-prod.yaml", ["k8s/hpa-dev.yaml", "k8s/hpa.yaml"], str) == "k8s/hpa.yaml"

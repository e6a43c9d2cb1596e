"""Which of several objects of one name belongs to a file."""

import pytest

from findings.platform.nearness import ELSEWHERE, beside, environment_of, nearest, shared_folders


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
        ("deploy/prod.yaml", ("", "")),  # folders alone
    ],
)
def test_the_environment_is_what_a_folder_says(path: str, environment: tuple[str, str]) -> None:
    assert environment_of(path) == environment


def test_folders_of_one_environment_are_near_whatever_the_tree_and_those_of_two_never() -> None:
    path = "k8s/prod-eu/api.yaml"
    known = ["k8s/staging/hpa.yaml", "k8s/base/hpa.yaml", "infra/prod-us/hpa.yaml", "infra/prod-eu/hpa.yaml"]
    assert nearest(path, known, str) == "infra/prod-eu/hpa.yaml"
    assert nearest(path, known[:3], str) == "infra/prod-us/hpa.yaml"
    assert nearest(path, known[:2], str) == "k8s/base/hpa.yaml"
    assert beside(path, known[:1], str) is None
    assert shared_folders(path, known[0]) == ELSEWHERE

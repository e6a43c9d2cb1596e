"""A finding keeps its name while its object is there, whatever becomes of others of its name."""

from findings.checks import engine, telling
from findings.checks.identity import fingerprint, renamed
from findings.checks.registry import CHECKS
from findings.platform import reader
from findings.platform.files import File
from findings.risk import lanes

OPEN = """apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: api, namespace: shop}
spec: {podSelector: {}, policyTypes: [Egress], egress: [{}]}
"""
MENDED = OPEN.replace("egress: [{}]", "egress: [{to: [{podSelector: {matchLabels: {app: db}}}]}]")
QUOTA = """apiVersion: v1
kind: ResourceQuota
metadata: {name: all, namespace: shop}
spec: {hard: {pods: "4"}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: api, image: registry.example/api:1}]}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: api, namespace: shop}
spec: {scaleTargetRef: {kind: Deployment, name: api}, minReplicas: 2, maxReplicas: 9}
"""


def outcome(check: str = "network-egress", **files: str) -> engine.Outcome:
    return engine.run(
        reader.read(File(path.replace("__", "/") + ".yaml", text) for path, text in files.items()), [CHECKS[check]]
    )


def names(check: str = "network-egress", **files: str) -> dict[str, str]:
    """File → fingerprint."""
    return {each.fail.places[0].path: each.fingerprint for each in outcome(check, **files).found}


def test_an_object_that_is_alone_has_one_name_wherever_it_stands() -> None:
    (here,), (there,) = names(prod__api=OPEN).values(), names(other__folder__net=OPEN).values()
    assert here == there


def test_when_one_of_two_is_mended_the_other_keeps_its_name() -> None:
    both = names(prod__api=OPEN, staging__api=OPEN)
    assert len(set(both.values())) == 2
    first_mended = names(prod__api=MENDED, staging__api=OPEN)
    assert first_mended == {"staging/api.yaml": both["staging/api.yaml"]}
    second_mended = names(prod__api=OPEN, staging__api=MENDED)
    assert second_mended == {"prod/api.yaml": both["prod/api.yaml"]}


def test_a_third_one_renames_neither_and_nor_does_the_order() -> None:
    both = names(prod__eu__api=OPEN, prod__us__api=OPEN, readme=MENDED)
    three = names(dev__api=OPEN, prod__us__api=OPEN, prod__eu__api=OPEN, readme=MENDED)
    assert both.items() <= three.items()


def test_several_in_one_folder_are_told_apart_by_their_files() -> None:
    both = names(k8s__api_prod=OPEN, k8s__api_staging=OPEN)
    assert names(k8s__api_prod=MENDED, k8s__api_staging=OPEN).items() < both.items()


def test_the_top_folder_of_an_archive_is_no_part_of_a_name() -> None:
    first = names(repo_1f3c__prod__api=OPEN, repo_1f3c__staging__api=OPEN)
    then = names(repo_92aa__prod__api=OPEN, repo_92aa__staging__api=OPEN)
    assert list(first.values()) == list(then.values())


def test_two_in_one_file_are_told_apart_by_their_order() -> None:
    twice = [each.fingerprint for each in outcome(api=f"{OPEN}---\n{OPEN}").found]
    assert len(set(twice)) == 2
    assert twice[0] in names(api=OPEN).values()


def test_a_quota_of_one_environment_is_not_the_other_once_that_is_mended() -> None:
    both = names("resource-quota", prod__all=QUOTA, staging__all=QUOTA)
    assert len(set(both.values())) == 2
    mended = QUOTA.replace('pods: "4"', 'pods: "40"')
    assert names("resource-quota", prod__all=mended, staging__all=QUOTA).items() < both.items()


def test_a_finding_is_found_under_its_former_name_by_its_file_alone() -> None:
    def known(**files: str) -> dict[str, str]:
        return {fingerprint: path for path, fingerprint in names(**files).items()}

    def now(found: engine.Outcome) -> dict[str, str]:
        return {each.fingerprint: each.fail.places[0].path for each in found.found}

    def changed(before: dict[str, str], **files: str) -> dict[str, str]:
        """File before → file now, of what goes on under another name."""
        found = outcome(**files)
        names_now = renamed([each.identity for each in found.found], before)
        return {before[old]: now(found)[new] for old, new in names_now.items()}

    alone = known(prod__api=OPEN)
    both = known(prod__api=OPEN, staging__api=OPEN)
    assert changed(alone, prod__api=OPEN, staging__api=OPEN) == {"prod/api.yaml": "prod/api.yaml"}
    assert changed(both, staging__api=OPEN) == {"staging/api.yaml": "staging/api.yaml"}
    assert changed(both, prod__api=OPEN, staging__api=OPEN, other__x=MENDED) == {}
    assert changed(both, k8s__prod__api=OPEN, k8s__staging__api=OPEN) == {}
    deeper = known(k8s__prod__api=OPEN, k8s__staging__api=OPEN)
    assert changed(deeper, k8s__prod__api=OPEN, k8s__staging__api=OPEN, top=MENDED.replace("api", "web")) == {
        "k8s/prod/api.yaml": "k8s/prod/api.yaml", "k8s/staging/api.yaml": "k8s/staging/api.yaml",
    }  # fmt: skip
    assert changed(alone, staging__api=OPEN, dev__api=OPEN) == {}


def test_a_second_failure_of_one_object_takes_no_name_from_the_first() -> None:
    twice = OPEN + "---\n" + OPEN
    known = {each.fingerprint: each.fail.places[0].path for each in outcome(api=OPEN).found}
    assert renamed([each.identity for each in outcome(api=twice).found], known) == {}
    ended = {each.fingerprint: each.fail.places[0].path for each in outcome(api=twice).found}
    assert renamed([each.identity for each in outcome(api=OPEN).found], ended) == {}
    moved = outcome(prod__api=OPEN, staging__api=twice)
    before = {each.fingerprint: each.fail.places[0].path for each in outcome(prod__api=OPEN).found}
    assert len(renamed([each.identity for each in moved.found], before)) == 1


def test_findings_that_were_told_apart_by_their_order_go_on_each_in_its_own_file() -> None:
    found = outcome(prod__api=OPEN, staging__api=OPEN).found
    check, subject, detail = "network-egress", found[0].fail.subject, found[0].fail.detail
    before = {
        fingerprint(check, subject, detail): "prod/api.yaml",
        fingerprint(check, subject, f"{detail}#1"): "staging/api.yaml",
    }
    now = {each.fingerprint: each.fail.places[0].path for each in found}
    names_now = renamed([each.identity for each in found], before)
    assert {before[old]: now[new] for old, new in names_now.items()} == {
        "prod/api.yaml": "prod/api.yaml", "staging/api.yaml": "staging/api.yaml",
    }  # fmt: skip


def test_a_baseline_from_before_an_environment_was_added_still_holds() -> None:
    known = {fingerprint: path for path, fingerprint in names(prod__api=OPEN).items()}
    found = outcome(prod__api=OPEN, staging__api=OPEN)
    shown = telling.told("1", reader.read([]), found, lanes.decide, known=known).findings
    assert {each.found.fail.places[0].path: each.is_known for each in shown} == {
        "prod/api.yaml": True, "staging/api.yaml": False,
    }  # fmt: skip

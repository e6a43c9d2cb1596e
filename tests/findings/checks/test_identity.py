"""A finding keeps its name while its object is there, whatever becomes of others of its name."""

from collections.abc import Mapping

import pytest

from findings.checks import engine, telling
from findings.checks.base import Fail
from findings.checks.identity import Identity, fingerprint, identities, renamed
from findings.checks.registry import CHECKS
from findings.platform import reader
from findings.platform.files import File
from findings.risk import lanes
from platform_risk.quantities.sourced import Place

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


def test_names_are_those_under_which_findings_are_kept_from_the_first_version_on() -> None:
    """Another name would close what is known and open it anew, in every installation."""
    several = [each.fingerprint for each in outcome(api="---\n".join([OPEN] * 3)).found]
    assert several == [
        "d1e29e2a6dafb47a4cae8b3e37e460e3", "0af8c12506db18a22450b113b2816f0c", "53a2fcb306a7bb6530f3ec35aef35221",
    ]  # fmt: skip
    assert names(prod__api=OPEN, staging__api=OPEN) == {
        "prod/api.yaml": "d5a1d620b490c0f06d5587c4e8dd3201", "staging/api.yaml": "93bba8b578a7bd482493586f9332db1c",
    }  # fmt: skip
    assert names(k8s__a=OPEN, k8s__b=OPEN) == {
        "k8s/a.yaml": "f0630eccf19e863a1e37add1234e0619", "k8s/b.yaml": "274b9c49ae8376281a8b5cddf443b037",
    }  # fmt: skip


def test_nothing_handed_in_is_nothing_to_name() -> None:
    assert outcome().found == ()


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


@pytest.mark.parametrize("top", ["", "repo__", "repo__deploy__", "repo__deploy__k8s__"])
def test_folders_that_hold_all_files_are_no_part_of_a_name_however_many_there_are(top: str) -> None:
    def below(**files: str) -> list[str]:
        return list(names(**{f"{top}{path}": text for path, text in files.items()}).values())

    assert below(prod__api=OPEN, staging__api=OPEN) == list(names(prod__api=OPEN, staging__api=OPEN).values())
    assert below(api=OPEN, staging__api=OPEN) == list(names(api=OPEN, staging__api=OPEN).values())


def test_a_file_may_be_called_otherwise_where_its_folder_holds_no_other_one() -> None:
    assert list(names(prod__api=OPEN, staging__api=OPEN).values()) == list(
        names(prod__network=OPEN, staging__policies=OPEN).values()
    )


def test_two_in_one_file_are_told_apart_by_their_order() -> None:
    twice = [each.fingerprint for each in outcome(api=f"{OPEN}---\n{OPEN}").found]
    assert len(set(twice)) == 2
    assert twice[0] in names(api=OPEN).values()


def test_a_quota_of_one_environment_is_not_the_other_once_that_is_mended() -> None:
    both = names("resource-quota", prod__all=QUOTA, staging__all=QUOTA)
    assert len(set(both.values())) == 2
    mended = QUOTA.replace('pods: "4"', 'pods: "40"')
    assert names("resource-quota", prod__all=mended, staging__all=QUOTA).items() < both.items()


def test_what_is_said_of_an_environment_is_its_own_wherever_it_is_read() -> None:
    """Of one quota for both, in a file of neither."""
    quota, workloads = QUOTA.split("---\n", 1)
    few = workloads.replace("maxReplicas: 9", "maxReplicas: 3")
    both = outcome("resource-quota", quota=quota, prod__web=workloads, staging__web=workloads).found
    assert [each.fail.places[0].path for each in both] == ["quota.yaml"] * 2
    (left,) = outcome("resource-quota", quota=quota, prod__web=few, staging__web=workloads).found
    assert left.fingerprint == both[1].fingerprint
    assert [each.fingerprint for each in both] == [
        fingerprint("resource-quota", "Namespace/shop", each.fail.detail, where)
        for each, where in zip(both, ("prod/", "staging/"), strict=True)
    ]


def known(**files: str) -> dict[str, str]:
    """Fingerprint → file, of all that is found in these."""
    return {each.fingerprint: each.fail.places[0].path for each in outcome(**files).found}


def changed(before: dict[str, str], **files: str) -> dict[str, str]:
    """File before → file now, of what goes on under another name."""
    names_now = renamed([each.identity for each in outcome(**files).found], before)
    return {before[old]: known(**files)[new] for old, new in names_now.items()}


def test_a_finding_is_found_under_its_former_name_by_its_file_alone() -> None:
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


def test_names_go_on_when_files_are_added_above_the_folder_that_held_all() -> None:
    """In its top folder too, and where several are in one; what keeps its name is left alone."""
    other = MENDED.replace("name: api", "name: web")
    alone = OPEN.replace("name: api", "name: admin")
    for files in ({"k8s__api": OPEN, "k8s__staging__api": OPEN}, {"k8s__api": OPEN, "k8s__api_staging": OPEN}):
        before = known(**files, k8s__admin=alone)
        assert changed(before, **files, k8s__admin=alone, top=other) == {
            path: path for path in (f"{name.replace('__', '/')}.yaml" for name in files)
        }


def test_which_of_two_in_one_file_went_on_cannot_be_told() -> None:
    twice = OPEN + "---\n" + OPEN
    assert changed(known(staging__api=twice), prod__api=OPEN, staging__api=twice) == {}


def test_who_takes_the_former_name_of_another_one_takes_nothing_that_was_its_own() -> None:
    """A folder is added that is called as one below was, and counted, before."""
    before = known(prod__eu__api=OPEN, prod__us__api=OPEN)
    after = {"prod__eu__api": OPEN, "prod__us__api": OPEN, "eu__api": OPEN}
    assert names(**after)["eu/api.yaml"] in before
    assert changed(before, **after) == {"prod/eu/api.yaml": "prod/eu/api.yaml", "prod/us/api.yaml": "prod/us/api.yaml"}
    shown = telling.told("1", reader.read([]), outcome(**after), lanes.decide, known=before).findings
    assert {each.found.fail.places[0].path: each.is_known for each in shown} == {
        "prod/eu/api.yaml": True, "prod/us/api.yaml": True, "eu/api.yaml": False,
    }  # fmt: skip


# Of failures whose places are in other files than their object.
POLICY = "NetworkPolicy/shop/api"
BOTH = {"prod__api": OPEN, "staging__api": OPEN}


def named(files: Mapping[str, str], *places: Place, times: int = 1) -> list[Identity]:
    platform = reader.read(File(path.replace("__", "/") + ".yaml", text) for path, text in files.items())
    return list(identities(platform, [("a", Fail(POLICY, "", "", places))] * times))


@pytest.mark.parametrize(
    ("places", "where"),
    [
        ([Place("prod/api.yaml")], "prod/"),
        ([Place("values.yaml"), Place("staging/api.yaml")], "staging/"),
        ([Place("prod/api.yaml", 1, "Secret/shop/api"), Place("staging/api.yaml", 1, POLICY)], "staging/"),
        ([Place("prod/api.yaml", 1, "Secret/shop/api"), Place("staging/api.yaml")], "prod/"),
        ([Place("values.yaml")], ""),
        ([], ""),
    ],
)
def test_a_finding_is_of_the_object_that_it_names_and_else_of_the_first_beside_it(
    places: list[Place], where: str
) -> None:
    assert [each.fingerprint for each in named(BOTH, *places)] == [fingerprint("a", POLICY, "", where)]


def test_a_finding_that_names_none_of_several_files_is_called_as_if_its_object_were_alone() -> None:
    for files in ({"api": OPEN, "staging__api": OPEN}, BOTH, {"api": OPEN}):
        assert named(files, Place("values.yaml"))[0].fingerprint == fingerprint("a", POLICY)


@pytest.mark.parametrize(
    ("first", "files", "is_its_own"),
    [
        ("prod/api.yaml", BOTH, True),
        ("prod/hpa.yaml", BOTH, True),
        ("values.yaml", BOTH, False),
        ("prod/hpa.yaml", {**BOTH, "prod__other": OPEN}, False),
        ("prod/api.yaml", {**BOTH, "prod__other": OPEN}, True),
        ("prod/api.yaml", {**BOTH, "prod__api": OPEN + "---\n" + OPEN}, False),
        ("base/hpa.yaml", {"prod__eu__api": OPEN, "staging__api": OPEN}, False),
    ],
)
def test_a_former_name_was_its_own_where_its_first_place_leaves_no_doubt(
    first: str, files: dict[str, str], is_its_own: bool
) -> None:
    own = next(path.replace("__", "/") for path in files) + ".yaml"
    (found,) = named(files, Place(first), Place(own))
    alone = {fingerprint("a", POLICY): first}
    assert renamed([found], alone) == ({fingerprint("a", POLICY): found.fingerprint} if is_its_own else {})


def test_of_two_of_one_name_in_one_place_only_the_first_had_another_name() -> None:
    first, second = named(BOTH, Place("prod/api.yaml"), times=2)
    before = {fingerprint("a", POLICY): "prod/api.yaml", first.fingerprint: "prod/api.yaml"}
    assert first.fingerprint != second.fingerprint
    assert renamed([first, second], before) == {}


def test_a_finding_that_names_no_place_is_named_all_the_same() -> None:
    assert named({"api": OPEN}) == [Identity(fingerprint("a", POLICY))]


def test_a_name_that_may_still_be_its_holders_is_left_to_it() -> None:
    """The holder is read in the other's file first, so both may have been known there."""
    files = [File(path, OPEN) for path in ("prod/eu/api.yaml", "prod/us/api.yaml", "eu/api.yaml")]
    own = Fail(POLICY, "", "", (Place("prod/eu/api.yaml", 1, POLICY),))
    holder = Fail(POLICY, "", "", (Place("prod/eu/api.yaml"), Place("eu/api.yaml", 1, POLICY)))
    found = list(identities(reader.read(files), [("a", own), ("a", holder)]))
    assert found[1].fingerprint == fingerprint("a", POLICY, "", "eu/")
    assert renamed(found, {found[1].fingerprint: "prod/eu/api.yaml"}) == {}

"""Images trusted by name: what no signature rule covers, and what is against the platform's own policy."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from findings.checks import image_trust
from findings.platform import images
from tests.examples import examples
from tests.findings.checks import reading

LIST = """
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {{name: registries}}
spec:
  rules:
    - name: registries
      match: {match}
      validate:
        pattern: {{spec: {{containers: [{{image: "{glob}"}}]}}}}
"""
SIGNED = """
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {{name: signed}}
spec:
  validationFailureAction: {action}
  rules:
    - name: signed
      verifyImages: [{{imageReferences: ["{glob}"], attestors: {attestors}}}]
"""
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: api, namespace: shop}}
spec:
  template:
    spec:
      containers:
        - {{name: api, image: "{image}"}}
        - {{name: sidecar, image: "registry.example/sidecar:1"}}
"""
PODS = "{any: [{resources: {kinds: [Pod]}}]}"
SOMEBODY = "[{entries: [{keyless: {issuer: i, subject: s}}]}]"


def against(image: str, match: str = PODS, check: str = "image-trust") -> object:
    fails = reading.fails(
        check,
        a_yaml=LIST.format(glob="registry.example/*", match=match),
        b_yaml=DEPLOYMENT.format(image=image),
    )
    found = [reading.figures(fail) for fail in fails]
    return found[0].get("images_against_own_policy") if found else None


@pytest.mark.parametrize("check", ["image-trust", "contradiction"])
def test_images_that_the_platforms_own_list_does_not_allow_are_counted(check: str) -> None:
    assert against("other.example/api:1", check=check) == 1
    assert against("registry.example/api:1", check=check) is None


def test_an_image_against_a_list_that_others_fit_is_one_finding_of_one_check() -> None:
    """That a prefix is trusted by name is another fact, and told beside it."""
    files = {"a_yaml": LIST.format(glob="registry.example/*", match=PODS)}
    files["b_yaml"] = DEPLOYMENT.format(image="other.example/api:1")
    assert [fail.detail for fail in reading.fails("image-trust", **files)] == [""]
    assert [fail.detail for fail in reading.fails("contradiction", **files)] == ["images"]
    signed = SIGNED.format(glob="registry.example/*", attestors=SOMEBODY, action="Enforce")
    files["a_yaml"] = files["a_yaml"].replace("spec:\n", "spec:\n  validationFailureAction: Enforce\n", 1)
    assert reading.fails("image-trust", **files, c_yaml=signed) == []
    assert [fail.detail for fail in reading.fails("contradiction", **files, c_yaml=signed)] == ["images"]


def test_a_list_that_no_image_fits_is_told_where_images_are_trusted() -> None:
    """It contradicts nothing here: it may be that of other workloads."""
    files = {"a_yaml": LIST.format(glob="elsewhere.example/*", match=PODS)}
    files["b_yaml"] = DEPLOYMENT.format(image="other.example/api:1")
    (fail,) = [each for each in reading.fails("image-trust", **files) if each.detail == "against"]
    assert reading.figures(fail) == {"images_total": 2, "images_against_own_policy": 2}
    assert reading.fails("contradiction", **files) == []


@pytest.mark.parametrize(
    ("check", "namespace", "figures"),
    [
        ("image-trust", "shop", [1]),
        ("image-trust", "search", [None]),  # its prefix is trusted by name there, and nothing is against it
        ("contradiction", "shop", [1]),
        ("contradiction", "search", []),
    ],
)
def test_a_policy_of_a_namespace_holds_there_alone(check: str, namespace: str, figures: list[int | None]) -> None:
    text = LIST.format(glob="registry.example/*", match=PODS).replace("kind: ClusterPolicy", "kind: Policy")
    text = text.replace("metadata: {", f"metadata: {{namespace: {namespace}, ", 1)
    fails = reading.fails(check, a_yaml=text, b_yaml=DEPLOYMENT.format(image="other.example/api:1"))
    assert [reading.figures(each).get("images_against_own_policy") for each in fails] == figures


@pytest.mark.parametrize(
    "match",
    [
        "{any: [{resources: {kinds: [Pod], namespaces: [search]}}]}",
        "{any: [{resources: {kinds: [Pod], selector: {matchLabels: {strict: yes}}}}]}",
    ],
)
def test_a_policy_that_may_not_concern_a_workload_is_not_held_against_it(match: str) -> None:
    assert against("other.example/api:1", match) is None


def test_a_rule_that_names_nobody_verifies_nothing() -> None:
    (fail,) = reading.fails(
        "image-trust",
        a_yaml=LIST.format(glob="registry.example/*", match=PODS),
        b_yaml=SIGNED.format(glob="registry.example/*", attestors="[]", action="Enforce"),
    )
    assert reading.figures(fail)["prefixes_unverified"] == 1


def test_a_rule_for_a_part_of_a_prefix_does_not_cover_the_prefix() -> None:
    files = {"a_yaml": LIST.format(glob="registry.example/*", match=PODS)}
    narrow = SIGNED.format(glob="registry.example/payments/*", attestors=SOMEBODY, action="Enforce")
    wide = SIGNED.format(glob="registry.example*", attestors=SOMEBODY, action="Enforce")
    assert len(reading.fails("image-trust", **files, b_yaml=narrow)) == 1
    assert reading.fails("image-trust", **files, b_yaml=wide) == []


def test_a_signature_that_is_only_reported_does_not_keep_an_image_out() -> None:
    (fail,) = reading.fails(
        "image-trust",
        a_yaml=LIST.format(glob="registry.example/*", match=PODS),
        b_yaml=SIGNED.format(glob="registry.example/*", attestors=SOMEBODY, action="Audit"),
    )
    assert fail.title == "1 of 1 trusted image prefixes are verified by no signature rule that denies"
    assert "ClusterPolicy/signed denies nothing (validationFailureAction: Audit)" in fail.why
    assert ("b.yaml", 6) in [(place.path, place.line) for place in fail.places]


def test_a_list_of_some_namespaces_is_said_to_hold_there() -> None:
    match = "{any: [{resources: {kinds: [Pod], namespaces: [shop]}}]}"
    text = LIST.format(glob="registry.example/*", match=match)
    text = text.replace("spec:\n", "spec:\n  validationFailureAction: Enforce\n", 1)
    (fail,) = reading.fails("image-trust", a_yaml=text)
    assert fail.why == "Whoever may push below registry.example/* decides what runs in shop."


def test_a_list_that_only_reports_is_not_said_to_decide_what_runs() -> None:
    reported = LIST.format(glob="registry.example/*", match=PODS).replace(
        "spec:\n", "spec:\n  validationFailureAction: Audit\n", 1
    )
    for text, said in ((reported, "any other image runs as well"), (reported.replace("Audit", "Enforce"), "decides")):
        (fail,) = reading.fails("image-trust", a_yaml=text)
        assert said in fail.why


def test_a_rule_that_anybody_meets_denies_and_is_told_for_that_alone() -> None:
    fails = reading.fails(
        "image-trust",
        a_yaml=LIST.format(glob="registry.example/*", match=PODS),
        b_yaml=SIGNED.format(glob="*", attestors="[{entries: [{keyless: {issuer: i}}]}]", action="Enforce"),
    )
    assert "1 of 1 trusted image prefixes are verified by no signature rule" in [each.title for each in fails]


@pytest.mark.parametrize(("namespace", "is_verified"), [("shop", True), ("shop-dev", False)])
def test_an_override_counts_in_the_namespaces_that_it_names(namespace: str, *, is_verified: bool) -> None:
    signed = SIGNED.format(glob="*", attestors=SOMEBODY, action="Enforce")
    signed += "  validationFailureActionOverrides: [{action: Audit, namespaces: ['*-dev']}]\n"
    deployment = DEPLOYMENT.format(image="registry.example/api:1").replace("shop", namespace)
    fails = reading.fails("image-trust", a_yaml=signed, b_yaml=deployment)
    assert (fails == []) is is_verified


def test_namespaces_that_labels_choose_leave_it_open_whether_a_rule_denies() -> None:
    signed = SIGNED.format(glob="*", attestors=SOMEBODY, action="Audit")
    signed += "  validationFailureActionOverrides: [{action: Enforce, namespaceSelector: {matchLabels: {a: b}}}]\n"
    outcome = reading.outcome("image-trust", a_yaml=signed, b_yaml=DEPLOYMENT.format(image="registry.example/api:1"))
    assert outcome.found == ()
    assert "labels choose the namespaces" in outcome.tallies[0].unsure[0].reason


@pytest.mark.parametrize("glob", ["!*:latest", "*:*", "*@sha256:*"])
def test_rules_about_tags_and_digests_are_no_lists_of_registries(glob: str) -> None:
    outcome = reading.outcome("image-trust", a_yaml=LIST.format(glob=glob, match=PODS))
    assert (outcome.found, outcome.tallies[0].unsure) == ((), [])


def test_a_star_in_the_middle_trusts_every_folder() -> None:
    (fail,) = reading.fails("image-trust", a_yaml=LIST.format(glob="newrelic/* | */fips-*", match=PODS))
    assert reading.figures(fail)["open_segments"] == 1
    assert "*/fips-*" in fail.why


def test_expressions_that_ask_how_a_name_begins_are_lists_too() -> None:
    policy = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: registries}
spec:
  validations:
    - expression: "object.spec.containers.all(c, c.image.startsWith('registry.example/'))"
"""
    (fail,) = reading.fails("image-trust", a_yaml=policy)
    assert reading.figures(fail)["prefixes_unverified"] == 1


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("redis:7", "docker.io/library/redis:7"),
        ("bitnami/redis:7", "docker.io/bitnami/redis:7"),
        ("ghcr.io/org/api:1", "ghcr.io/org/api:1"),
        ("localhost:5000/api", "localhost:5000/api"),
    ],
)
def test_an_image_without_a_registry_is_docker_hubs(image: str, name: str) -> None:
    assert images.full_name(image) == name


@given(st.lists(st.booleans(), max_size=30), st.booleans())
@settings(max_examples=examples(100), deadline=None)
def test_verifying_one_more_image_never_leaves_more_unverified(verified: list[bool], last: bool) -> None:
    assert image_trust.images_unverified([*verified, True]) == image_trust.images_unverified(verified)
    assert image_trust.images_unverified([*verified, last]) <= image_trust.images_unverified([*verified, False])


ENFORCED = LIST.replace("spec:\n", "spec:\n  validationFailureAction: Enforce\n", 1)
OURS = "registry.example/*"


@pytest.mark.parametrize(
    ("lists", "signed", "image", "told"),
    [
        (ENFORCED, "", "registry.example/api:1",
         [("high", "1 of 1 trusted image prefixes are verified by no signature rule")]),
        (ENFORCED, "", "other.example/api:1",
         [("high", "1 of 1 trusted image prefixes are verified by no signature rule")]),
        (ENFORCED, SIGNED.format(glob=OURS, attestors=SOMEBODY, action="Enforce"), "registry.example/api:1", []),
        (ENFORCED, SIGNED.format(glob=OURS, attestors=SOMEBODY, action="Enforce"), "other.example/api:1",
         []),  # a contradiction, and told as one
        ("", SIGNED.format(glob=OURS, attestors=SOMEBODY, action="Enforce"), "registry.example/api:1", []),
        ("", SIGNED.format(glob=OURS, attestors=SOMEBODY, action="Enforce"), "other.example/api:1",
         [("medium", "1 of 2 images are verified by no signature rule")]),
        ("", SIGNED.format(glob=OURS, attestors=SOMEBODY, action="Audit"), "registry.example/api:1",
         [("medium", "2 of 2 images are verified by no signature rule that denies")]),
    ],
)  # fmt: skip
def test_what_runs_is_held_against_lists_and_signatures(
    lists: str, signed: str, image: str, told: list[tuple[str, str]]
) -> None:
    files = {"b_yaml": signed, "c_yaml": DEPLOYMENT.format(image=image)}
    outcome = reading.outcome("image-trust", a_yaml=lists.format(glob=OURS, match=PODS) if lists else "", **files)
    assert [(str(each.severity), each.fail.title) for each in outcome.found] == told
    if not told:
        assert outcome.tallies[0].passed > 0


def test_images_are_counted_once_each_with_what_verifies_them() -> None:
    signed = SIGNED.format(glob="registry.example/api*", attestors=SOMEBODY, action="Enforce")
    digest = DEPLOYMENT.format(image="registry.example/web@sha256:" + "a" * 64).replace("name: api", "name: web", 1)
    two = DEPLOYMENT.format(image="registry.example/api:1")
    (fail,) = reading.fails("image-trust", a_yaml=signed, b_yaml=two, c_yaml=digest)
    assert reading.figures(fail) == {"images_total": 3, "images_unverified": 2, "images_by_tag": 2}
    assert {each.name.partition("@")[0]: each.value for each in fail.quantities[0].inputs} == {
        "registry.example/api:1": "verified", "registry.example/sidecar:1": "not verified",
        "registry.example/web": "not verified",
    }  # fmt: skip


def test_a_list_without_images_is_asked_for_them() -> None:
    asked = reading.unsure("image-trust", a_yaml=ENFORCED.format(glob=OURS, match=PODS))
    assert [each.provide for each in asked] == ["the workloads with their images"]
    running = {"b_yaml": DEPLOYMENT.format(image="registry.example/api:1")}
    assert reading.unsure("image-trust", a_yaml=ENFORCED.format(glob=OURS, match=PODS), **running) == []
    (alone,) = reading.unsure("image-trust", **running)
    assert alone.reason == "no rule in these files says which of 2 images may run, or verifies one"


@pytest.mark.parametrize(
    ("stated", "verdict", "source"),
    [
        ("", "fails", "provider_default"), ('image_tag_mutability = "MUTABLE"', "fails", "file"),
        ('image_tag_mutability = "IMMUTABLE"', "passes", ""), ("image_tag_mutability = var.m", "unknown", ""),
    ],
)  # fmt: skip
def test_tags_of_a_repository_are_fixed_where_it_says_so(stated: str, verdict: str, source: str) -> None:
    outcome = reading.outcome("image-trust", main_tf=f'resource "aws_ecr_repository" "a" {{\n  {stated}\n}}\n')
    tally = outcome.tallies[0]
    assert (tally.failed, tally.passed, len(tally.unsure)) == tuple(
        int(verdict == each) for each in ("fails", "passes", "unknown")
    )
    for found in outcome.found:
        assert (str(found.severity), found.fail.quantities[0].inputs[0].source) == ("low", source)


def sure(glob: str, action: str = "Enforce", name: str = "signed", attestors: str = SOMEBODY) -> str:
    return "---" + SIGNED.format(glob=glob, attestors=attestors, action=action).replace("signed", name)


def both(*globs: str, action: str = "Enforce") -> str:
    """A list of several prefixes."""
    text = ENFORCED.format(glob=" | ".join(globs), match=PODS)
    return text.replace("Enforce", action)


def judged(lists: str, signed: str = "", image: str = "") -> tuple[list[tuple[str, str]], list[str], int]:
    """(severity and title of failures, what is unknown and why, passes)"""
    running = DEPLOYMENT.format(image=image) if image else ""
    found = reading.outcome("image-trust", a_yaml=lists, b_yaml=signed.removeprefix("---"), c_yaml=running)
    tally = found.tallies[0]
    asked = sorted(f"{each.subject}: {each.reason}" for each in tally.unsure)
    return [(str(each.severity), each.fail.title) for each in found.found], asked, tally.passed


ANY = "[{entries: [{keyless: {issuer: i}}]}]"
TRIED = "it denies nothing (validationFailureAction: Audit): an image without its signature runs too"
LIST_TRIED = "it denies nothing (validationFailureAction: Audit): an image of any other name runs unverified"
BY_LABELS = "labels choose the namespaces in which ClusterPolicy/registries denies, and which have them is not read"
NOT_COUNTED = "ClusterPolicy/registries: which images run is not in these files, so none could be counted"
NO_RULE = "trusted image prefixes are verified by no signature rule"


@pytest.mark.parametrize(
    ("lists", "signed", "failed", "asked", "passed"),
    [
        # Every prefix has a rule of its own.
        (both("a.example/*", "b.example/*"), sure("a.example/*") + sure("b.example/*", name="second"), [], [], 3),
        (both("a.example/*", "b.example/*"), sure("a.example/*"), [("high", f"1 of 2 {NO_RULE}")], [], 1),
        # A rule that only reports counts where it names what nothing else verifies.
        (both("a.example/*", "b.example/*"), sure("a.example/*", "Audit"),
         [("high", f"2 of 2 {NO_RULE} that denies")],
         [f"ClusterPolicy/signed: {TRIED}"], 0),
        (both("a.example/*", "b.example/*"), sure("c.example/*", "Audit"), [("high", f"2 of 2 {NO_RULE}")],
         [f"ClusterPolicy/signed: {TRIED}"], 0),
        # What anybody may sign proves nothing, and nobody is told that it would.
        (both("a.example/*"), sure("a.example/*", "Audit", attestors=ANY),
         [("high", f"1 of 1 {NO_RULE}"), ("high", "Anybody's signature is enough: the rule names nobody who signs")],
         [], 0),
        # All is verified, and the list itself is only tried out.
        (both("a.example/*", action="Audit"), sure("a.example/*"), [],
         [f"ClusterPolicy/registries: {LIST_TRIED}"], 1),
        (both("a.example/*"), sure("a.example/*") + sure("a.example/sub/*", "Audit", "tried"), [], [], 3),
        (both("a.example/*"), sure("a.example/*") + sure('a.example/*", "b.example/*', "Audit", "tried"), [],
         [f"ClusterPolicy/tried: {TRIED}"], 2),
        (both("a.example/*"), sure("a.example/*") + sure("b.example/*", "Audit", "tried"), [],
         [f"ClusterPolicy/tried: {TRIED}"], 2),
    ],
)  # fmt: skip
def test_every_prefix_of_a_list_is_held_against_every_rule(
    lists: str, signed: str, failed: list[tuple[str, str]], asked: list[str], passed: int
) -> None:
    assert judged(lists, signed) == (failed, sorted([NOT_COUNTED, *asked]), passed)


def test_a_list_that_denies_where_labels_say_is_not_judged() -> None:
    lists = both(OURS, action="Audit").replace(
        "spec:\n", "spec:\n  validationFailureActionOverrides: [{action: Enforce, namespaceSelector: {}}]\n", 1
    )
    assert judged(lists, image="registry.example/api:1") == ([], [f"ClusterPolicy/registries: {BY_LABELS}"], 0)


@pytest.mark.parametrize(
    ("signed", "image", "failed", "asked", "passed"),
    [
        # Each image by one of two rules.
        (sure("registry.example/api*") + sure("registry.example/side*", name="b"), "registry.example/api:1", [], 0, 2),
        # One image by none: told once, at the first rule that names somebody.
        (sure("registry.example/api*") + sure("other.example/*", name="b"), "registry.example/api:1",
         [("ClusterPolicy/signed", "medium")], 0, 1),
        (sure("*", attestors=ANY, name="open") + sure("registry.example/api*") + sure("other.example/*", name="b"),
         "registry.example/api:1", [("ClusterPolicy/open", "high"), ("ClusterPolicy/signed", "medium")], 0, 1),
        # A rule that is tried out for images that others let in, and for some that nothing does.
        (sure("*") + sure("z.example/*", "Audit", "tried"), "registry.example/api:1", [], 0, 2),
        (sure("registry.example/*") + sure("z.example/*", "Audit", "tried"), "registry.example/api:1", [], 0, 2),
        (sure("registry.example/api*") + sure("z.example/*", "Audit", "tried"), "registry.example/api:1",
         [("ClusterPolicy/signed", "medium")], 1, 0),
        # A rule that only reports beside one that denies all the same.
        (sure("*") + sure("registry.example/*", "Audit", "tried"), "registry.example/api:1", [], 0, 2),
    ],
)  # fmt: skip
def test_what_runs_beside_all_rules_is_told_once(
    signed: str, image: str, failed: list[tuple[str, str]], asked: int, passed: int
) -> None:
    outcome = reading.outcome("image-trust", a_yaml=signed.removeprefix("---"), b_yaml=DEPLOYMENT.format(image=image))
    tally = outcome.tallies[0]
    assert sorted((each.fail.subject, str(each.severity)) for each in outcome.found) == failed
    assert (len(tally.unsure), tally.passed) == (asked, passed)


def test_an_image_that_a_message_does_not_name_is_against_no_policy() -> None:
    """What the policy behind a message selects is not read."""
    policy = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: registries}
spec:
  validations:
    - expression: "object.spec.containers.all(c, c.image.startsWith('elsewhere.example/'))"
"""
    fails = reading.fails("image-trust", a_yaml=policy, b_yaml=DEPLOYMENT.format(image="other.example/api:1"))
    assert [reading.figures(each) for each in fails] == [{"prefixes_unverified": 1}]


def test_images_against_a_list_weigh_less_than_what_it_trusts_blindly() -> None:
    lists = both("elsewhere.example/*")
    failed, _, _ = judged(lists, image="other.example/api:1")
    assert failed == [
        ("high", f"1 of 1 {NO_RULE}"), ("medium", "2 of 2 images are against the platform's own policy")
    ]  # fmt: skip


def test_only_the_namespaces_where_an_override_denies_are_left_out_of_what_runs() -> None:
    signed = SIGNED.format(glob="*", attestors=SOMEBODY, action="Audit") + (
        "  validationFailureActionOverrides:\n  - {action: Enforce, namespaces: [pay, ledger]}\n"
        "  - {action: Audit, namespaces: [dev]}\n"
    )
    (fail,) = reading.fails("image-trust", a_yaml=signed, b_yaml=DEPLOYMENT.format(image="registry.example/api:1"))
    assert "denies nothing outside pay, ledger (validationFailureAction: Audit)" in fail.why


def test_inputs_say_which_prefix_is_verified_and_which_image_fits() -> None:
    lists = both("a.example/*", "b.example/*")
    (fail,) = reading.fails("image-trust", a_yaml=lists, b_yaml=sure("a.example/*").removeprefix("---"))
    assert [(each.name, each.value, each.source) for each in fail.quantities[0].inputs] == [
        ("a.example/*", "verified", "file"), ("b.example/*", "no signature rule", "file"),
    ]  # fmt: skip
    assert [each.name for each in fail.quantities] == ["prefixes_unverified"]
    assert fail.why == "Whoever may push below b.example/* decides what runs."
    (fail,) = reading.fails("image-trust", a_yaml=both(OURS), b_yaml=DEPLOYMENT.format(image="other.example/a:1"))
    (against,) = [each for each in fail.quantities if each.name == "images_against_own_policy"]
    assert {each.name: (each.value, each.source) for each in against.inputs} == {
        "other.example/a:1": ("matches nothing", "file"), "registry.example/sidecar:1": ("matches", "file"),
    }  # fmt: skip


def test_a_rule_for_every_image_says_so_and_one_for_some_names_them() -> None:
    for glob, said in (("a.example/*", "For a.example/* it"), ("", "For every image it")):
        text = sure(glob, attestors=ANY).removeprefix("---")
        (fail,) = reading.fails("image-trust", a_yaml=text)
        assert fail.why.startswith(said)


def test_every_repository_is_judged_whatever_stands_before_it() -> None:
    block = 'resource "aws_ecr_repository" "{}" {{\n  {}\n}}\n'
    text = "".join(
        block.format(name, stated)
        for name, stated in (
            ("a", "image_tag_mutability = var.m"), ("b", 'image_tag_mutability = "IMMUTABLE"'),
            ("c", 'image_tag_mutability = "MUTABLE"'), ("d", ""),
        )
    )  # fmt: skip
    found = reading.outcome("image-trust", main_tf=text)
    assert {each.fail.subject: (each.fail.places[0].line, each.fail.quantities[0].inputs[0].note)
            for each in found.found} == {
        "aws_ecr_repository.c": (8, ""),
        "aws_ecr_repository.d": (10, "Amazon ECR: image_tag_mutability defaults to MUTABLE"),
    }  # fmt: skip

"""Policies that keep out what breaks them, and those that only report it."""

import pytest

from findings.platform import admission
from findings.platform.nodes import items
from tests.findings.checks import reading

KYVERNO = """
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {{name: signed}}
spec: {spec}
"""


@pytest.mark.parametrize(
    ("spec", "rule", "denies"),
    [
        ("", "validate: {}", False),
        ("validationFailureAction: Audit,", "validate: {}", False),
        ("validationFailureAction: enforce,", "validate: {}", True),
        ("validationFailureAction: Audit,", "validate: {failureAction: Enforce}", True),
        ("validationFailureAction: Enforce,", "validate: {failureAction: Audit}", False),
        ("validationFailureAction: Enforce,", "verifyImages: [{failureAction: Audit}]", False),
        ("", "verifyImages: [{failureAction: Audit}, {failureAction: Enforce}]", True),
        ("admission: false, validationFailureAction: Enforce,", "validate: {}", False),
    ],
)
def test_a_rule_of_kyverno_denies_as_it_says_itself_else_as_its_policy_does(
    spec: str, rule: str, *, denies: bool
) -> None:
    text = KYVERNO.format(spec=f"{{{spec} rules: [{{name: signed, {rule}}}]}}")
    (policy,) = reading.platform(a_yaml=text).of_kind("ClusterPolicy")
    assert admission.kyverno(policy, items(policy.body, "spec.rules")[0]).denies is denies


def test_the_first_override_that_names_a_namespace_counts_there() -> None:
    overrides = "[{action: Enforce, namespaces: [shop]}, {action: Audit, namespaces: ['*']}]"
    text = KYVERNO.format(
        spec=f"{{validationFailureAction: Audit, validationFailureActionOverrides: {overrides}, rules: [{{name: a}}]}}"
    )
    (policy,) = reading.platform(a_yaml=text).of_kind("ClusterPolicy")
    found = admission.kyverno(policy, items(policy.body, "spec.rules")[0])
    assert (found.denies_in("shop"), found.denies_in("search")) == (True, False)


SCOPED = (
    "{{enforcementAction: scoped, scopedEnforcementActions: [{{action: deny, enforcementPoints: [{{name: {}}}]}}]}}"
)


@pytest.mark.parametrize(
    ("spec", "denies"),
    [
        ("{}", True),
        ("{enforcementAction: deny}", True),
        ("{enforcementAction: dryrun}", False),
        ("{enforcementAction: warn}", False),
        (SCOPED.format("validation.gatekeeper.sh"), True),
        (SCOPED.format("audit.gatekeeper.sh"), False),
    ],
)
def test_a_constraint_of_gatekeeper_denies_unless_told_otherwise(spec: str, *, denies: bool) -> None:
    text = (
        f"apiVersion: constraints.gatekeeper.sh/v1beta1\nkind: K8sAllowedRepos\nmetadata: {{name: a}}\nspec: {spec}\n"
    )
    (constraint,) = reading.platform(a_yaml=text).of_kind("K8sAllowedRepos")
    assert admission.gatekeeper(constraint).denies is denies


@pytest.mark.parametrize(
    ("bound", "denies"),
    [([], True), (["[Audit]"], False), (["[Warn, Audit]", "[Deny]"], True), (["[Audit, Deny]"], True)],
)
def test_a_policy_of_kubernetes_denies_where_one_of_its_bindings_does(bound: list[str], *, denies: bool) -> None:
    kind = "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy"
    text = f"{kind}\nmetadata: {{name: a}}\nspec: {{}}\n"
    for number, actions in enumerate(bound):
        text += f"---\n{kind}Binding\nmetadata: {{name: b{number}}}\n"
        text += f"spec: {{policyName: a, validationActions: {actions}}}\n"
    platform = reading.platform(a_yaml=text)
    (policy,) = platform.of_kind("ValidatingAdmissionPolicy")
    assert admission.bindings(platform, policy).denies is denies

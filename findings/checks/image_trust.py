"""2.3: images that are trusted by the name of their registry, and by nothing that proves who built them."""

from collections.abc import Iterable, Iterator

from findings.checks.base import Fail, Meta, Pass, Unsure, Verdict
from findings.checks.words import counted
from findings.platform import images as platform_images
from findings.platform.images import AllowList, Image, Pattern, SignatureRule, distinct
from findings.platform.model import Platform, places
from findings.vocabulary import Category, Outcome, Severity
from platform_risk.quantities.sourced import Input, Quantity, Source, Sourced, Unknown

META = Meta(
    id="image-trust",
    seed="2.3",
    title="Images are trusted by their name alone",
    severity=Severity.HIGH,
    category=Category.SECURITY,
    outcome=Outcome.BREACH,
    means="A policy lets images run because of the registry or folder they lie in, and no rule verifies a signature "
    "for them, or one does that only reports, and lets them run all the same; or images run that the platform's own "
    "policy does not allow.",
    why="Whoever may push below such a prefix decides what runs: every pipeline, every colleague, every stolen "
    "password. A star in the middle of a prefix trusts every folder beside it too. Labels and names are set by whoever "
    "builds the image, so they prove nothing.",
    not_a_problem="Only one pipeline can push below the prefix, its registry keeps tags immutable, and what runs is "
    "named by digest.",
    remedy="Verify signatures at admission for every prefix that is allowed, name who signs, turn tags into digests, "
    "keep tags immutable, and keep the list of prefixes short.",
    patch="""verifyImages:
  - imageReferences: ["registry.example/payments/*"]
    mutateDigest: true
    attestors:
      - entries:
          - keyless:
              issuer: https://token.actions.githubusercontent.com
              subject: https://github.com/example/payments/.github/workflows/build.yml@refs/heads/main""",
    analysis="It is right that a prefix alone proves nothing. The message it quotes stands in no policy of the "
    "public revision, which allows one registry and one folder under any tenant.",
    remedies=("image-signing",),
    references=(
        "https://kyverno.io/docs/policy-types/cluster-policy/verify-images/",
        "https://docs.sigstore.dev/policy-controller/overview/",
        "https://open-policy-agent.github.io/gatekeeper-library/website/validation/allowedrepos/",
        "https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html",
    ),
)

Trusting = AllowList | SignatureRule

_BY_NAME = "That a name matches is counted, not whether the registry itself is well guarded."


def images_unverified(verified: Iterable[bool]) -> int:
    """Images that no signature rule covers. Source: Kyverno and Sigstore: only what a rule matches is verified."""
    return sum(not each for each in verified)


def images_against_policy(allowed: Iterable[bool]) -> int:
    """Images that no pattern of the list matches."""
    return sum(not each for each in allowed)


def run(platform: Platform) -> Iterator[Verdict]:
    lists = list(platform_images.allow_lists(platform))
    rules = list(platform_images.signature_rules(platform))
    found = platform_images.images(platform)
    unverified = {
        reference
        for reference, namespace in {(each.reference, each.workload.resource.namespace) for each in found}
        if not any(rule.covers_in(reference, namespace) for rule in rules)
    }
    for each in lists:
        yield from _list(each, rules, found, unverified)
    for rule in rules:
        yield from _rule(rule, rules, found, unverified, has_lists=bool(lists))
    if found and not lists and not rules:
        yield Unsure(
            "images",
            f"no rule in these files says which of {counted(len({each.reference for each in found}), 'images')} may "
            "run, or verifies one",
            "an admission policy: Kyverno verifyImages, Sigstore ClusterImagePolicy, or a list of registries",
            found[0].place,
        )
    yield from _registries(platform)


def _list(
    trusted: AllowList, rules: list[SignatureRule], found: list[Image], unverified: set[str]
) -> Iterator[Verdict]:
    bare = [each for each in trusted.patterns if not any(rule.covers(each.witness) for rule in rules)]
    beside = [rule for rule in _reporting(rules) if any(rule.names(each.witness) for each in bare)]
    naming: list[Trusting] = [trusted, *beside]
    unread = [each for each in naming if not each.enforcement.is_readable]
    concerned = distinct([each for each in found if trusted.applies(each.workload)])
    matched = [each for each in concerned if trusted.admits(each)]
    if unread:
        yield _by_labels(trusted, unread[0])
    elif bare:
        yield _bare(trusted, bare, naming, concerned, unverified)
    elif not trusted.enforcement.denies:
        yield _only_reported(trusted, "an image of any other name runs unverified")
    else:
        yield Pass(trusted.subject, (trusted.place,))
    if not concerned:
        yield Unsure(trusted.subject, "which images run is not in these files, so none could be counted",
                     "the workloads with their images", trusted.place)  # fmt: skip
    elif trusted.is_readable and not matched:
        yield _against(trusted, concerned)  # where some fit, the check of contradictions tells of the others


def _by_labels(trusted: Trusting, unread: Trusting) -> Unsure:
    return Unsure(
        trusted.subject,
        f"labels choose the namespaces in which {unread.subject} denies, and which have them is not read",
        "the namespaces by name in its overrides",
        unread.place,
    )


def _only_reported(trusted: Trusting, so: str) -> Unsure:
    """Whether something else keeps such images out is in no file, as where there is no rule at all."""
    reported = trusted.enforcement.only_reports
    return Unsure(
        trusted.subject,
        f"it denies nothing ({reported.value if reported else ''}): {so}",
        "an action that denies, or the rule that keeps such images out",
        reported.place if reported else trusted.place,
    )


def _reporting(rules: list[SignatureRule]) -> list[SignatureRule]:
    """Those that would verify, and deny nothing."""
    return [each for each in rules if not each.enforcement.denies and not each.takes_anybody]


def _let_in(rules: Iterable[Trusting]) -> str:
    """Names those that deny nothing, or only in the namespaces of an override."""
    said = ""
    for each in rules:
        reported = each.enforcement.only_reports
        if reported is not None:
            but = [name for other in each.enforcement.overrides if other.denies for name in other.namespaces]
            where = f" outside {', '.join(but)}" if but else ""
            said += f" {each.subject} denies nothing{where} ({reported.value}): it reports, and the image runs."
    return said


def _bare(
    trusted: AllowList, bare: list[Pattern], naming: list[Trusting], concerned: list[Image], unverified: set[str]
) -> Fail:
    """`naming`: the list, and rules that name such a prefix and let an image without a signature run all the same."""
    terms = tuple(
        Input(each.glob, "no signature rule" if each in bare else "verified", "", Source.FILE, each.place.path,
              each.place.line)
        for each in trusted.patterns
    )  # fmt: skip
    quantities = [
        Quantity("prefixes_unverified", len(bare), "prefixes", "allowed prefixes that no signature rule covers", terms,
                 (_BY_NAME,)),
    ]  # fmt: skip
    wide = sum(each.has_open_segment for each in trusted.patterns)
    if wide:
        quantities.append(
            Quantity("open_segments", wide, "prefixes", "prefixes with a star before the last part", terms)
        )
    matched = [each for each in concerned if trusted.admits(each)]
    if matched:
        quantities += _counted(matched, unverified)
        if trusted.is_readable and len(matched) < len(concerned):
            quantities.append(_against_policy(trusted, concerned))
    names = ", ".join(each.glob for each in bare)
    star = " A star in the middle of a prefix trusts whoever owns any folder there." if wide else ""
    holds = trusted.enforcement.denies
    where = f" in {', '.join(trusted.namespaces)}" if trusted.namespaces else ""
    so = f"decides what runs{where}" if holds else "is trusted, and where it only reports, any other image runs as well"
    return Fail(
        trusted.subject,
        f"{len(bare)} of {len(trusted.patterns)} trusted image prefixes are verified by no signature rule"
        + (" that denies" if len(naming) > 1 else ""),
        f"Whoever may push below {names} {so}.{star}{_let_in(naming)}",
        places(trusted.place, *(each.place for each in bare), *_reports(naming)),
        tuple(quantities),
    )


def _reports(rules: Iterable[Trusting]) -> list[Sourced[str]]:
    return [each.enforcement.only_reports for each in rules if each.enforcement.only_reports is not None]


def _counted(concerned: list[Image], unverified: set[str]) -> Iterator[Quantity]:
    verified = [each.reference not in unverified for each in concerned]
    terms = tuple(
        Input(each.reference, "verified" if is_verified else "not verified", "", Source.FILE, each.place.path,
              each.place.line)
        for each, is_verified in zip(concerned, verified, strict=True)
    )  # fmt: skip
    yield Quantity("images_total", len(concerned), "images", "different images of all containers", terms)
    yield Quantity("images_unverified", images_unverified(verified), "images", "images that no signature rule covers",
                   terms)  # fmt: skip
    yield Quantity("images_by_tag", sum(not each.has_digest for each in concerned), "images",
                   "images without a digest: their tag can be moved", terms)  # fmt: skip


def _against_policy(trusted: AllowList, concerned: list[Image]) -> Quantity:
    allowed = [trusted.admits(each) for each in concerned]
    terms = tuple(
        Input(each.reference, "matches" if is_allowed else "matches nothing", "", Source.FILE, each.place.path,
              each.place.line)
        for each, is_allowed in zip(concerned, allowed, strict=True)
    )  # fmt: skip
    return Quantity("images_against_own_policy", images_against_policy(allowed), "images",
                    "images that no pattern of the list matches", terms)  # fmt: skip


def _against(trusted: AllowList, concerned: list[Image]) -> Fail:
    against = _against_policy(trusted, concerned)
    total = len(concerned)
    return Fail(
        trusted.subject,
        f"{total} of {total} images are against the platform's own policy",
        f"{trusted.subject} allows {', '.join(each.glob for each in trusted.patterns)}; these are something else: "
        f"{', '.join(each.reference for each in concerned[:8])}. Either they cannot start or the policy does not hold.",
        places(*(each.place for each in concerned), trusted.place),
        (Quantity("images_total", total, "images", "different images of all containers", against.inputs), against),
        Severity.MEDIUM,
        "against",
    )


def _rule(
    rule: SignatureRule, rules: list[SignatureRule], found: list[Image], unverified: set[str], *, has_lists: bool
) -> Iterator[Verdict]:
    """Told at the first rule, when no list of registries tells it: images that run beside all rules."""
    if rule.takes_anybody:
        yield _open(rule)
        return
    concerned = distinct(found)
    outside = [each for each in concerned if each.reference in unverified]
    first = next(each for each in rules if not each.takes_anybody)
    if not rule.enforcement.is_readable:
        yield _by_labels(rule, rule)
    elif not has_lists and rule is first and outside:
        yield _outside(rule, rules, concerned, outside, unverified)
    elif rule.enforcement.denies or (concerned and not outside) or _covered(rule, rules):
        yield Pass(rule.subject, (rule.place,))
    else:
        yield _only_reported(rule, "an image without its signature runs too")


def _covered(rule: SignatureRule, rules: list[SignatureRule]) -> bool:
    """Whether others deny what it only reports, as beside a stricter rule that is tried out."""
    return all(any(one.covers(each.witness) for one in rules) for each in rule.patterns)


def _outside(
    rule: SignatureRule, rules: list[SignatureRule], concerned: list[Image], outside: list[Image], unverified: set[str]
) -> Fail:
    reporting = _reporting(rules)
    return Fail(
        rule.subject,
        f"{len(outside)} of {len(concerned)} images are verified by no signature rule"
        + (" that denies" if reporting else ""),
        f"No rule covers {', '.join(each.reference for each in outside[:8])}.{_let_in(reporting)}",
        places(rule.place, *(each.place for each in outside), *_reports(reporting)),
        tuple(_counted(concerned, unverified)),
        Severity.MEDIUM,
    )


def _open(rule: SignatureRule) -> Fail:
    place = rule.place
    globs = ", ".join(each.glob for each in rule.patterns) or "every image"
    term = Input(rule.subject, "anybody's", "", Source.FILE, place.path, place.line)
    return Fail(
        rule.subject,
        "Anybody's signature is enough: the rule names nobody who signs",
        f"For {globs} it takes a signature of whoever has an account where signatures are made, so the signature tells "
        "that somebody built the image and not who.",
        places(place),
        (Quantity("rules_anybody_meets", 1, "rules", "signature rules whose signer has no bounds", (term,)),),
        None,
        "anybody",
    )


def _registries(platform: Platform) -> Iterator[Verdict]:
    """Amazon ECR lets a tag be pushed again unless told otherwise."""
    for block in platform.terraform("aws_ecr_repository"):
        stated = block.get("image_tag_mutability")
        if isinstance(stated, Unknown):
            yield Unsure(block.id, stated.reason, stated.provide, block.place())
            continue
        value, source = (stated.value, stated.source) if stated else ("MUTABLE", Source.PROVIDER_DEFAULT)
        place = stated.place if stated else block.place()
        if not str(value).upper().startswith("MUTABLE"):
            yield Pass(block.id, (place,))
            continue
        note = "" if stated else "Amazon ECR: image_tag_mutability defaults to MUTABLE"
        term = Input("image_tag_mutability", value, "", source, place.path, place.line, note)
        yield Fail(
            block.id,
            "Its tags can be pushed again: 1 repository without immutable tags",
            "Whoever may push can put another image behind a tag that already runs.",
            places(place),
            (
                Quantity(
                    "repositories_with_mutable_tags", 1, "repositories", "image_tag_mutability is MUTABLE", (term,)
                ),
            ),
            Severity.LOW,
        )

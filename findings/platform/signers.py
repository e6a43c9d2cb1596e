"""Whether a rule about signatures takes those of anybody: an identity without bounds proves nothing. PURE."""

import re
from typing import Any

from findings.platform.nodes import items, mapping
from findings.platform.yaml_reader import Map

# Hosts where everybody can have an account, and with it a workflow that signs.
_SHARED = re.compile(r"(?:https://)?(?:github\.com|gitlab\.com|bitbucket\.org)/?")


def anybody(subject: Any, pattern: Any) -> bool:
    """Whether a keyless identity names nobody: no subject at all, or one of which only a shared host is fixed.

    `subject` is a name with stars, `pattern` a regular expression; either may be missing. A pattern is read as far as
    it is a beginning with anything behind, for what an upload brings is not run.
    """
    if isinstance(subject, str) and subject:
        return "*" in subject and _is_open(subject.partition("*")[0], subject.partition("*")[2])
    if isinstance(pattern, str) and pattern:
        begin, found, rest = pattern.removeprefix("^").replace("\\", "").partition(".*")
        return bool(found) and _is_open(begin, rest.replace(".*", "*"))
    return True


def _is_open(begin: str, rest: str) -> bool:
    """Whether a star stands for whoever owns a project on a shared host, whose files and branches behind it anybody
    names as they like; or whether nothing is fixed at all."""
    return _SHARED.fullmatch(begin) is not None or (begin == "" and not re.search(r"\w", rest))


def kyverno_anybody(rule: Map) -> bool:
    """Whether some set of attestors that a `verifyImages` rule asks for is met by anybody's signature.

    Every set has to be met; within one, all entries, or as many as its count says. Source: Kyverno, attestors.
    """
    sets = items(rule, "attestors")
    return bool(sets) and all(_set_is_open(each) for each in sets)


def _set_is_open(node: Any) -> bool:
    entries = items(node, "entries")
    taken = [_entry_is_open(each) for each in entries]
    count = mapping(node).get("count")
    needed = count if isinstance(count, int) and 0 < count <= len(entries) else len(entries)
    return bool(taken) and sum(taken) >= needed


def _entry_is_open(entry: Any) -> bool:
    if not isinstance(entry, Map) or not isinstance(entry.get("keyless"), Map):
        return False
    keyless = entry["keyless"]
    if keyless.get("roots") or keyless.get("additionalExtensions"):
        return False  # an authority of its own, or more that has to be right
    return anybody(keyless.get("subject"), keyless.get("subjectRegExp"))


def sigstore_anybody(authorities: list[Any]) -> bool:
    """Whether one authority of a ClusterImagePolicy, each of which is enough, takes anybody's signature or none.

    Source: Sigstore policy controller: authorities, static and keyless.
    """
    return any(_authority_is_open(each) for each in authorities)


def _authority_is_open(node: Any) -> bool:
    if mapping(node, "static").get("action") == "pass":
        return True
    keyless = mapping(node).get("keyless")
    if not isinstance(keyless, Map) or keyless.get("ca-cert") or mapping(node).get("attestations"):
        return False
    identities = items(keyless, "identities")
    return all(isinstance(each, Map) for each in identities) and (
        not identities or any(anybody(each.get("subject"), each.get("subjectRegExp")) for each in identities)
    )

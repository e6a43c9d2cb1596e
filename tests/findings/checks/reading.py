"""Platforms out of texts, for tests of checks."""

from findings.checks import engine
from findings.checks.base import Check, Fail, Unsure
from findings.checks.registry import CHECKS
from findings.platform import reader
from findings.platform.files import File
from findings.platform.model import Platform


def platform(**files: str) -> Platform:
    """Files by name: `api_yaml="…"` is api.yaml, `facts="…"` is platform-risk.yaml."""
    read = [
        File("platform-risk.yaml" if name == "facts" else ".".join(name.rsplit("_", 1)), text)
        for name, text in files.items()
    ]
    return reader.read(read)


def outcome(check_id: str, **files: str) -> engine.Outcome:
    check: Check = CHECKS[check_id]
    return engine.run(platform(**files), [check])


def fails(check_id: str, **files: str) -> list[Fail]:
    return [found.fail for found in outcome(check_id, **files).found]


def unsure(check_id: str, **files: str) -> list[Unsure]:
    return outcome(check_id, **files).tallies[0].unsure


def figures(fail: Fail) -> dict[str, object]:
    return {quantity.name: quantity.value for quantity in fail.quantities}

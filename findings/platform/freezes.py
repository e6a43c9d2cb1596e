"""What else than windows lets a ready change wait: freezes of GitLab, wait timers of GitHub's environments. PURE.

Sources: Terraform gitlab_project_freeze_period (freeze_start and freeze_end are cron, cron_timezone is UTC unless
stated). GitLab, deploy freezes: within one, pipelines get the variable CI_DEPLOY_FREEZE, and jobs run all the same
unless their rules ask for it. Terraform github_repository_environment: wait_timer in minutes, can_admins_bypass is true
unless stated.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import tzinfo

from findings.platform.model import Block, Platform
from findings.platform.settings import flat
from findings.platform.units import stated_number
from findings.platform.windows import WEEK, Calendar, Window, cron_starts, zone_of
from platform_risk.quantities.sourced import Place, Source, Sourced, Unknown

_DAY = 24 * 60
_VARIABLE = "CI_DEPLOY_FREEZE"


def freezes(platform: Platform) -> Iterator[Calendar | tuple[str, Unknown]]:
    """Per project what its freeze periods close."""
    found: dict[str, list[Block]] = {}
    for block in platform.terraform("gitlab_project_freeze_period"):
        stated = block.get("project_id") or block.get("project")
        own = ",".join((*block.references.get("project_id", ()), *block.references.get("project", ())))
        key = own or (str(stated.value) if isinstance(stated, Sourced) else block.folder)
        found.setdefault(key, []).append(block)
    for blocks in found.values():
        first = blocks[0]
        made: list[Window] = []
        for block in blocks:
            windows = _closed(block)
            if isinstance(windows, Unknown):
                yield block.id, windows
            else:
                made += windows
        if made:
            yield Calendar(first.id, tuple(made), first.place())


def _closed(block: Block) -> list[Window] | Unknown:
    start, end, zone = block.get("freeze_start"), block.get("freeze_end"), block.get("cron_timezone")
    for each in (start, end, zone):
        if isinstance(each, Unknown):
            return each
    name = zone if isinstance(zone, Sourced) else Sourced(
        "UTC", Source.PROVIDER_DEFAULT, block.place(), "Terraform: cron_timezone is UTC unless it is stated"
    )  # fmt: skip
    begins, ends = _minutes(start), _minutes(end)
    at = zone_of(str(name.value))
    if not begins or not ends or at is None:
        return Unknown("it does not repeat weekly", "the freeze as one of weekdays and hours", block.place())
    place = start.place if isinstance(start, Sourced) else block.place()
    return [_window(begin, ends, at, name, place) for begin in begins]


def _window(begin: int, ends: list[int], zone: tzinfo, name: Sourced[str], place: Place) -> Window:
    minutes = min((end - begin) % WEEK or WEEK for end in ends)
    return Window(frozenset((begin // _DAY,)), begin % _DAY, minutes, zone, name, place, is_deny=True)


def _minutes(stated: object) -> list[int]:
    """Minutes of the week from Monday on."""
    starts = cron_starts(str(stated.value)) if isinstance(stated, Sourced) else None
    return [day * _DAY + minute for day, minute in starts or ()]


def pipeline_without(platform: Platform) -> Place | None:
    """A pipeline of GitLab among the files whose rules do not ask whether a freeze is on: it deploys all the same."""
    pipelines = [each for each in platform.configs if each.path.rpartition("/")[2] == ".gitlab-ci.yml"]
    for each in pipelines:
        if any(_VARIABLE in str(value) for _, value, _ in flat(each.root)) or "include" in each.keys:
            return None
    return pipelines[0].place(1) if len(pipelines) == 1 else None


@dataclass(frozen=True)
class Timer:
    """Minutes that every change waits before an environment."""

    subject: str
    minutes: Sourced[float]
    bypass: Sourced[bool]


def timers(platform: Platform) -> Iterator[Timer]:
    for block in platform.terraform("github_repository_environment"):
        minutes, bypass = stated_number(block.get("wait_timer")), block.get("can_admins_bypass")
        if minutes is not None and minutes.value > 0 and not isinstance(bypass, Unknown):
            note = "Terraform: can_admins_bypass is true unless it is stated"
            default = Sourced(value=True, source=Source.PROVIDER_DEFAULT, place=block.place(), note=note)
            yield Timer(block.id, minutes, bypass.map(bool) if bypass is not None else default)

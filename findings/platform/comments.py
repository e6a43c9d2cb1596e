"""Comments that ask for a check to be ignored, and what each stands beside. PURE."""

import re
from dataclasses import dataclass

from findings.platform.files import File, Skipped

# A person's word beside a place: `# platform-risk: ignore db-connections: pooled in front`.
_IGNORE = re.compile(r"(?:#|//)[ \t]*platform-risk:[ \t]*ignore\b[ \t]*(?P<words>[^\r\n]{0,500})")
MOST_COMMENTS = 1000  # in one file


@dataclass(frozen=True, slots=True)
class Comment:
    """A person's word that a check is to be ignored, from its own line to the last one that it stands beside."""

    path: str
    line: int
    last: int
    words: str  # "check, other: reason"

    @property
    def checks(self) -> tuple[str, ...]:
        return tuple(name.strip() for name in self.words.partition(":")[0].split(","))

    @property
    def reason(self) -> str:
        return self.words.partition(":")[2].strip()


def read(file: File) -> tuple[list[Comment], list[Skipped]]:
    """The comments that ask for a check to be ignored, each with what it stands beside: its line and the next one, and
    all of what begins there, or below it where it has a line of its own, and is set in further."""
    lines = file.text.splitlines()
    asked = [(number, found) for number, line in enumerate(lines, start=1) if (found := _IGNORE.search(line))]
    below = _below(lines) if asked else []
    ends: dict[int, int] = {}  # of what begins on a line: a run of comments stands above one and the same
    stated: list[Comment] = []
    for number, match in asked[:MOST_COMMENTS]:
        begin = below[number if _is_blank(lines[number - 1]) else number - 1]
        if begin not in ends:
            ends[begin] = _end(lines, below, begin)
        stated.append(Comment(file.path, number, max(number + 1, ends[begin]), match["words"].strip()))
    if len(asked) <= MOST_COMMENTS:
        return stated, []
    reason = f"more than {MOST_COMMENTS} comments that ask for checks to be ignored: the others are not read"
    return stated, [Skipped(file.path, reason, asked[MOST_COMMENTS][0])]


def _below(lines: list[str]) -> list[int]:
    """For each number of a line, from 0 on, the first line after it that says something; 0 when none does."""
    found = [0] * (len(lines) + 1)
    for number in range(len(lines) - 1, -1, -1):
        found[number] = found[number + 1] if _is_blank(lines[number]) else number + 1
    return found


def _end(lines: list[str], below: list[int], begin: int) -> int:
    """Number of the last line of the block that begins on a line; a list may stand no further in than its key."""
    if not begin:
        return 0
    first = lines[begin - 1]
    depth, is_key = _depth(first), first.rstrip().endswith(":") and not first.lstrip().startswith("- ")
    last, number = begin, below[begin]
    while number:
        line = lines[number - 1]
        is_item = is_key and _depth(line) == depth and line.lstrip().startswith("- ")
        if _depth(line) <= depth and not is_item:
            break
        last, number = number, below[number]
    return last


def _is_blank(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith(("#", "//"))


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())

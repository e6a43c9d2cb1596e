"""Files that stand near each other belong together: objects of one name are those of the folder beside."""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import TypeVar

T = TypeVar("T")

# As folders are called: prod, eks-staging, dev.eu-west-1. Several spellings are one environment.
_ENVIRONMENT = re.compile(
    r"(?:^|[-_.])(?:(?P<nonprod>non-?prod(?:uction)?)|(?P<preprod>pre-?prod(?:uction)?)|(?P<production>prod(?:uction)?|prd)"
    r"|(?P<staging>stag(?:e|ing)|stg)|(?P<development>dev(?:elopment)?)|(?P<test>test|qa|uat)|(?P<sandbox>sandbox))"
    r"(?:[-_.]|$)",
    re.IGNORECASE,
)
ELSEWHERE = -1
_SAME = 100  # more than any two paths have folders in common; half of it for a folder of the same name


@lru_cache(maxsize=65_536)
def environment_of(path: str) -> tuple[str, str]:
    """The environment that the folders of a file name, the innermost of several, with the folder: production, prod-eu.
    Nothing where none does."""
    for folder in reversed(path.split("/")[:-1]):
        found = _ENVIRONMENT.search(folder)
        if found is not None:
            return str(found.lastgroup), folder
    return "", ""


def shared_folders(path: str, other: str) -> int:
    """How many folders two files have in common, from the top; a file shares one more with itself. Those of folders
    that name one environment are nearer than any others, and of two environments ELSEWHERE."""
    (here, folder), (there, of_other) = environment_of(path), environment_of(other)
    if here and there and here != there:
        return ELSEWHERE
    near, far = path.split("/"), other.split("/")
    pairs = zip(near, far, strict=False)
    shared = next((number for number, (one, two) in enumerate(pairs) if one != two), min(len(near), len(far)))
    if not here or not there:
        return shared
    return shared + _SAME + (_SAME // 2 if folder == of_other else 0)


def nearest(path: str, found: Sequence[T], path_of: Callable[[T], str]) -> T:
    """Of objects of one name, as the folders of several environments hold them, the one beside a file: the one that
    shares the most folders with it, and of several the first."""
    if len(found) == 1:  # as nearly always
        return found[0]
    return max(found, key=lambda each: shared_folders(path, path_of(each)))


def of_one_environment(path: str, found: Iterable[T], path_of: Callable[[T], str]) -> list[T]:
    """Those that are not of a folder that names another environment."""
    return [each for each in found if shared_folders(path, path_of(each)) != ELSEWHERE]


def beside(path: str, found: Sequence[T], path_of: Callable[[T], str]) -> T | None:
    """The same; None where all of them are of other environments."""
    near = nearest(path, found, path_of)
    return near if shared_folders(path, path_of(near)) != ELSEWHERE else None

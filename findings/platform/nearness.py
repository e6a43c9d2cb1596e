"""Files that stand near each other belong together: objects of one name are those of the folder beside."""

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def shared_folders(path: str, other: str) -> int:
    """How many folders two files have in common, from the top; a file shares one more with itself."""
    near, far = path.split("/"), other.split("/")
    pairs = zip(near, far, strict=False)
    return next((number for number, (one, two) in enumerate(pairs) if one != two), min(len(near), len(far)))


def nearest(path: str, found: Sequence[T], path_of: Callable[[T], str]) -> T:
    """Of objects of one name, as the folders of several environments hold them, the one beside a file: the one that
    shares the most folders with it, and of several the first."""
    if len(found) == 1:  # as nearly always
        return found[0]
    return max(found, key=lambda each: shared_folders(path, path_of(each)))

"""Files that stand near each other belong together: objects of one name are those of the folder beside. PURE."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeVar

T = TypeVar("T")

# As folders and files are called: prod, eks-staging, dev.eu-west-1, api-prod.yaml. Several spellings are one of them.
_ENVIRONMENT = re.compile(
    r"(?:^|(?<=[-_.]))(?:(?P<nonprod>non-?prod(?:uction)?)|(?P<preprod>pre-?prod(?:uction)?)"
    r"|(?P<production>prod(?:uction)?|prd)|(?P<staging>stag(?:e|ing)|stg)|(?P<development>dev(?:elopment)?)"
    r"|(?P<test>test|qa|uat)|(?P<sandbox>sandbox))(?=[-_.]|$)",
    re.IGNORECASE,
)
# What the name of a file says by itself where another file names another one: `test-runner` and `first-stage` are
# called after what they do, and `dev-portal` after whom it is for.
_PLAIN = ("nonprod", "preprod", "production", "staging")
_DOUBTFUL = "stage"
# After it, one of several clusters: api-prod-eu.yaml, values.prod.us-east-1.yaml.
_REGION = re.compile(
    r"[-_.]?((?:eu|us|uk|ca|ap|sa|me|af|asia|europe|australia|apac|emea|latam)"
    r"(?:[-_]?(?:gov|north|south|east|west|central))*(?:[-_]?[0-9]{1,2}[a-z]?)?)(?=[-_.]|$)",
    re.IGNORECASE,
)
ELSEWHERE = -1
_SAME = 100  # more than any two paths have folders in common; half of it for a folder of the same name


class _Name(NamedTuple):
    """A file whose name holds the word of one environment."""

    folder: str
    before: str
    environment: str
    word: str
    after: str

    @property
    def others(self) -> tuple[str, ...]:
        """What it shares with its twins: all but the environment and a region."""
        region = _REGION.match(self.after)
        return self.folder, self.before, self.after[region.end() :] if region is not None else self.after

    @property
    def custom(self) -> tuple[str, str, bool]:
        """The word, and whether its folder's files begin with it."""
        return self.folder, self.word.lower(), not self.before

    @property
    def label(self) -> str:
        """The environment, with the region where the name goes on with one, as a folder would be called."""
        found = _REGION.match(self.after)
        return self.environment if found is None else f"{self.word}-{found[1]}".lower()

    @property
    def is_plain(self) -> bool:
        return self.environment in _PLAIN and self.word.lower() != _DOUBTFUL


class Nearness:
    """Which environment each of some files is of, and which of them stand near each other."""

    def __init__(self, paths: Iterable[str] = ()) -> None:
        self._by_twins, self._by_word = _named(paths)
        self._known: dict[str, tuple[str, str]] = {}

    def environment_of(self, path: str) -> tuple[str, str]:
        """The environment that a file names, or the innermost of its folders that does, with the folder: production,
        prod-eu. Nothing where none does. Names of files count as `_named` says."""
        known = self._known.get(path)
        if known is None:
            known = self._known[path] = self._environment_of(path)
        return known

    def _environment_of(self, path: str) -> tuple[str, str]:
        own, label = self._by_twins.get(path, ("", ""))
        for folder in reversed(path.split("/")[:-1]):
            found = _ENVIRONMENT.search(folder)
            if found is not None and own in ("", found.lastgroup):
                return str(found.lastgroup), label if label and label != own else folder
            if found is not None:
                break
        return (own, label) if own else self._by_word.get(path, ("", ""))

    def shared_folders(self, path: str, other: str) -> int:
        """How many folders two files have in common, from the top; a file shares one more with itself. Those that name
        one environment are nearer than any others, and of two environments ELSEWHERE."""
        (here, folder), (there, of_other) = self.environment_of(path), self.environment_of(other)
        if here and there and here != there:
            return ELSEWHERE
        shared = _in_common(path, other)
        if not here or not there:
            return shared
        return shared + _SAME + (_SAME // 2 if folder == of_other else 0)

    def share_a_folder(self, path: str, other: str) -> bool:
        """Whether two files are below one folder, and of no two environments."""
        return _in_common(path, other) > 0 and self.shared_folders(path, other) != ELSEWHERE

    def nearest(self, path: str, found: Sequence[T], path_of: Callable[[T], str]) -> T:
        """Of objects of one name, as several environments hold them, the one beside a file: the one that shares the
        most folders with it, and of several the first."""
        if len(found) == 1:  # as nearly always
            return found[0]
        return max(found, key=lambda each: self.shared_folders(path, path_of(each)))

    def of_one_environment(self, path: str, found: Iterable[T], path_of: Callable[[T], str]) -> list[T]:
        """Those that are not of another environment."""
        return [each for each in found if self.shared_folders(path, path_of(each)) != ELSEWHERE]

    def beside(self, path: str, found: Sequence[T], path_of: Callable[[T], str]) -> T | None:
        """The nearest; None where all of them are of other environments."""
        near = self.nearest(path, found, path_of)
        return near if self.shared_folders(path, path_of(near)) != ELSEWHERE else None


def _in_common(path: str, other: str) -> int:
    near, far = path.split("/"), other.split("/")
    pairs = zip(near, far, strict=False)
    return next((number for number, (one, two) in enumerate(pairs) if one != two), min(len(near), len(far)))


_Named = dict[str, tuple[str, str]]


def _named(paths: Iterable[str]) -> tuple[_Named, _Named]:
    """Files whose names name an environment for certain, and its label: by a twin in the same folder, which is called
    the same but for the environment, as are files that have the word where those twins have it; and by a plain word
    where another file has that of another environment or region."""
    names = {path: name for path in paths if (name := _name(path)) is not None}
    twins: dict[tuple[str, ...], set[str]] = {}
    for each in names.values():
        twins.setdefault(each.others, set()).add(each.environment)
    customs = {each.custom for each in names.values() if len(twins[each.others]) > 1}
    by_twins = {path: (each.environment, each.label) for path, each in names.items() if each.custom in customs}
    plain = {path: (each.environment, each.label) for path, each in names.items() if each.is_plain}
    return by_twins, plain if len(set(plain.values())) > 1 else {}


def _name(path: str) -> _Name | None:
    folder, _, name = path.rpartition("/")
    found = _ENVIRONMENT.search(name)
    if found is None or _ENVIRONMENT.search(name, found.end()) is not None:  # none, or a name of two: dev-to-prod
        return None
    return _Name(folder, name[: found.start()], str(found.lastgroup), found[0], name[found.end() :])

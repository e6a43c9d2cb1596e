"""Which finding is which, scan after scan: docs/decisions/0016. PURE."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from hashlib import blake2b
from itertools import chain
from typing import NamedTuple

from findings.checks.base import Fail
from findings.platform.model import Block, Platform, Resource

FINGERPRINT_VERSION = 1
# Findings of one subject that were told apart by their order, whose former names are tried.
_MOST_IN_ORDER = 10


class Identity(NamedTuple):
    fingerprint: str
    formerly: "Former | None" = None  # where its first place tells whether a former name was its own


class Former(NamedTuple):
    check_id: str
    subject: str
    detail: str
    home: str  # the file of its object
    path: str  # of its first place


def fingerprint(check_id: str, subject: str, detail: str = "", where: str = "") -> str:
    """The same while check, subject, detail and where are: lines and figures may change."""
    parts = ("platform-risk", str(FINGERPRINT_VERSION), check_id, subject, detail, *((where,) if where else ()))
    return blake2b("\x1f".join(parts).encode("utf-8", "replace"), digest_size=16).hexdigest()


def identities(platform: Platform, fails: Sequence[tuple[str, Fail]]) -> Iterator[Identity]:
    """Of (check, failure) each. Objects of one name that stand in several files are told apart by where they stand,
    whether or not each of them fails; what is left by its order."""
    files = _files(platform, {fail.subject for _, fail in fails})
    top = _top(platform.files_read)
    seen: dict[str, int] = {}
    for check_id, fail in fails:
        held = _Held(Counter(fail.homes)) if fail.homes else files.get(fail.subject, _NOWHERE)
        home, where = fail.homes[0] if fail.homes else "", ""
        if len(held) == 1:  # as nearly always
            home = next(iter(held))
        else:
            home = home or _home(fail, held)
            where = _where(home, held, top) if home else ""
        print_ = fingerprint(check_id, fail.subject, fail.detail, where)
        number = seen.get(print_, 0)
        seen[print_] = number + 1
        if number:
            print_ = fingerprint(check_id, fail.subject, f"{fail.detail}#{number}", where)
        is_known = not number and _is_known_by_its_place(fail, home, held)
        former = Former(check_id, fail.subject, fail.detail, home, fail.places[0].path) if is_known else None
        yield Identity(print_, former)


def renamed(found: Iterable[Identity], known: Mapping[str, str]) -> dict[str, str]:
    """Former fingerprint → the one of now. `known`: the file of each fingerprint that was there before: a finding of
    another file is another one."""
    now = {each.fingerprint: each.formerly for each in found}
    names: dict[str, str] = {}
    for fingerprint_, formerly in now.items():
        if formerly is None or fingerprint_ in known:
            continue
        old = next((name for name in _former_names(formerly) if _was_its_own(name, formerly, now, known)), None)
        if old is not None:
            names.setdefault(old, fingerprint_)
    return names


def _was_its_own(name: str, formerly: Former, now: Mapping[str, Former | None], known: Mapping[str, str]) -> bool:
    """Whether what had this name was in the same file. Another one may be called so by now, as where a folder is added
    that is called as one below was; whoever is known by its file is that other one, and who is not may be the same."""
    return known.get(name) == formerly.path and (name not in now or now[name] is not None)


def _former_names(of: Former) -> Iterator[str]:
    """What a finding may have been called while its object was the only one of its name, or there were others of it,
    or before they were told apart by where they stand. Whether it is the same, its file says."""
    yield fingerprint(of.check_id, of.subject, of.detail)
    for number in range(1, _MOST_IN_ORDER):
        yield fingerprint(of.check_id, of.subject, f"{of.detail}#{number}")
    folders = of.home.split("/")[:-1]
    for number in range(len(folders) + 1):
        for where in _spellings("/".join(folders[number:]), of.home):
            yield fingerprint(of.check_id, of.subject, of.detail, where)


class _Held(dict[str, int]):
    """How many objects of one id each file holds."""

    @cached_property
    def files_in(self) -> Counter[str]:
        """The number of such files in each folder."""
        return Counter(path.rpartition("/")[0] for path in self)


_NOWHERE = _Held()


def _files(platform: Platform, subjects: set[str]) -> dict[str, _Held]:
    """Of each subject that is an object."""
    found: dict[str, _Held] = {}
    objects: Iterator[Resource | Block] = chain(
        platform.resources, (each.resource for each in platform.compose_services), platform.blocks
    )
    for each in objects:
        id_ = each.id
        if id_ in subjects:
            files = found.setdefault(id_, _Held())
            files[each.path] = files.get(each.path, 0) + 1
    return found


def _home(fail: Fail, held: _Held) -> str:
    """Which of the files that hold such an object it is said of: the one that it names, and first as that object."""
    near = [each for each in fail.places if each.path in held]
    return next((each.path for each in near if each.resource == fail.subject), near[0].path if near else "")


def _is_known_by_its_place(fail: Fail, home: str, held: _Held) -> bool:
    """Whether no other object of its name can have had a finding at its first place: that is in its file, or beside it
    in a folder that holds no other such file."""
    if held.get(home) != 1 or not fail.places:
        return False
    first, folder = fail.places[0].path, home.rpartition("/")[0]
    if first == home:
        return True
    return first.rpartition("/")[0] == folder and held.files_in[folder] == 1


def _where(home: str, held: _Held, top: str) -> str:
    """The folder, below the one that holds all files (as an archive has one); the file too where several are in it."""
    folder = home.rpartition("/")[0]
    alone, named = _spellings(folder[len(top) :].strip("/"), home)
    return alone if held.files_in[folder] == 1 else named


def _spellings(folder: str, home: str) -> tuple[str, str]:
    return f"{folder}/", "/".join(part for part in (folder, home.rpartition("/")[2]) if part)


def _top(paths: Sequence[str]) -> str:
    """The folder that holds all files."""
    if not paths:
        return ""
    first, last = min(paths).split("/")[:-1], max(paths).split("/")[:-1]
    shared = next((number for number, (one, two) in enumerate(zip(first, last, strict=False)) if one != two), None)
    return "/".join(first[: min(len(first), len(last)) if shared is None else shared])

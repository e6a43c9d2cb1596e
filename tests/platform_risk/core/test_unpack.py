"""Uploads taken apart: every cap counted while reading, every refusal with entry and remedy."""

import errno
import functools
import gzip
import io
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from platform_risk.core.unpack import Limits, UnpackError, unpack
from tests.examples import examples

# Without a time in it: what a test is called must be the same in every process.
_gzip = functools.partial(gzip.compress, mtime=0)
_MEBI = 1024 * 1024
LIMITS = Limits(stored_bytes=5 * _MEBI, unpacked_bytes=40 * _MEBI, ratio=200, entries=100, depth=2)


def _zip(*entries: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in entries:
            entry = name if isinstance(name, zipfile.ZipInfo) else zipfile.ZipInfo(name)  # of 1980, always
            archive.writestr(entry, data, method)
    return out.getvalue()


def _unpacked(data: bytes, folder: Path, limits: Limits = LIMITS) -> list[tuple[str, bytes]]:
    """Names and contents of the entries; each is read as its turn comes, as the importer does."""
    return [(entry.name, entry.path.read_bytes()) for entry in unpack(io.BytesIO(data), folder=folder, limits=limits)]


def _refused(data: bytes, folder: Path, limits: Limits = LIMITS) -> UnpackError:
    with pytest.raises(UnpackError) as caught:
        _unpacked(data, folder, limits)
    assert caught.value.remedy
    return caught.value


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"plain", [("", b"plain")]),
        (b"", [("", b"")]),
        (_gzip(b"inner"), [("", b"inner")]),
        (_gzip(b"one") + _gzip(b"two"), [("", b"onetwo")]),
        (_gzip(b"padded") + b"\x00" * 700, [("", b"padded")]),
        (_gzip(b""), [("", b"")]),
        (_zip(("a.sarif", b"1"), ("b/c.json", b"2")), [("a.sarif", b"1"), ("b/c.json", b"2")]),
        (_zip(("empty", b"")), [("empty", b"")]),
        (_zip(), []),
        (_zip(("a.json.gz", _gzip(b"x"))), [("a.json", b"x")]),
        (_zip(("in.zip", _zip(("a", b"x")))), [("in.zip/a", b"x")]),
        (_gzip(_zip(("a", b"x"))), [("a", b"x")]),
        (_zip(("folder/", b""), ("__MACOSX/._a", b"junk"), ("a", b"x")), [("a", b"x")]),
        (_zip(("a", b"stored"), method=zipfile.ZIP_STORED), [("a", b"stored")]),
    ],
)
def test_plain_files_come_out_of_gzip_and_zip(data: bytes, expected: list[tuple[str, bytes]], tmp_path: Path) -> None:
    assert _unpacked(data, tmp_path) == expected


def test_large_content_survives_whole(tmp_path: Path) -> None:
    data = os.urandom(2 * _MEBI)
    assert _unpacked(_zip(("a", data), ("b.gz", _gzip(data))), tmp_path) == [("a", data), ("b", data)]


def test_files_are_written_under_names_of_our_own_and_inner_archives_do_not_stay(tmp_path: Path) -> None:
    _unpacked(_zip(("deep/er/name.json", b"1"), ("in.zip", _zip(("a", b"2")))), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["entry-00001", "entry-00003"]


# Caps


def test_a_file_over_the_limit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    error = _refused(b"x" * (LIMITS.stored_bytes + 1), tmp_path)
    assert error.code == "too_large"
    assert list(tmp_path.iterdir()) == []


_BOMBS = {
    "gzip": _gzip(b"\x00" * (30 * _MEBI)),
    "zip": _zip(("zeros", b"\x00" * (30 * _MEBI))),
    "many members": b"".join(_gzip(b"\x00" * _MEBI) for _ in range(30)),
    "gzip twice": _gzip(_gzip(b"\x00" * (30 * _MEBI))),
    "many entries": _zip(*((str(number), b"\x00" * _MEBI) for number in range(30))),
}


@pytest.mark.parametrize("name", _BOMBS)
def test_a_bomb_is_refused_having_written_little(name: str, tmp_path: Path) -> None:
    error = _refused(_BOMBS[name], tmp_path)
    assert error.code == "bomb"
    # The ratio counts above ten mebibytes, whatever the archive says of itself.
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 12 * _MEBI


def test_more_than_the_limit_is_refused_even_when_it_compresses_badly(tmp_path: Path) -> None:
    data = os.urandom(_MEBI)
    limits = Limits(stored_bytes=5 * _MEBI, unpacked_bytes=_MEBI // 2, ratio=200, entries=100, depth=2)
    error = _refused(_zip(("a", data)), tmp_path, limits)
    assert (error.code, error.entry) == ("unpacked_too_large", "a")


def test_entries_share_one_limit(tmp_path: Path) -> None:
    limits = Limits(stored_bytes=5 * _MEBI, unpacked_bytes=_MEBI, ratio=200, entries=100, depth=2)
    error = _refused(_zip(("a", os.urandom(600_000)), ("b", os.urandom(600_000))), tmp_path, limits)
    assert (error.code, error.entry) == ("unpacked_too_large", "b")


def test_a_size_that_the_archive_lies_about_is_not_believed(tmp_path: Path) -> None:
    data = bytearray(_BOMBS["zip"])
    real = struct.pack("<L", 30 * _MEBI)
    assert data.count(real) == 2
    assert _refused(bytes(data.replace(real, struct.pack("<L", 30 * _MEBI * 3))), tmp_path).code == "bomb"
    lied = data.replace(real, struct.pack("<L", 10))
    try:
        entries = _unpacked(bytes(lied), tmp_path)
    except UnpackError as error:
        entries = [("", error.code.encode())]
    assert sum(len(content) for _, content in entries) < 100


def test_too_many_entries_are_refused(tmp_path: Path) -> None:
    error = _refused(_zip(*((str(number), b"") for number in range(101))), tmp_path)
    assert error.code == "too_many_entries"


def test_entries_of_inner_archives_count_too(tmp_path: Path) -> None:
    inner = _zip(*((str(number), b"") for number in range(60)))
    assert _refused(_zip(("a.zip", inner), ("b.zip", inner)), tmp_path).code == "too_many_entries"


@pytest.mark.parametrize(
    "data",
    [
        _zip(("1.zip", _zip(("2.zip", _zip(("a", b"x")))))),
        _gzip(_gzip(_gzip(b"x"))),
        _zip(("1.gz", _gzip(_zip(("a", b"x"))))),
    ],
)
def test_archives_nest_only_so_deep(data: bytes, tmp_path: Path) -> None:
    assert _refused(data, tmp_path).code == "too_deep"


# Names


def _link(name: str, kind: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (kind | 0o777) << 16
    return info


@pytest.mark.parametrize(
    "name",
    ["../x", "a/../../x", "..", "/etc/passwd", "C:/x", "c:x", "..\\x", "\\\\host\\x", "a\\..\\..\\x"],
)
def test_a_name_that_points_outside_is_refused(name: str, tmp_path: Path) -> None:
    error = _refused(_zip(("ok", b"1"), (name, b"2")), tmp_path)
    assert error.code == "bad_entry_name"
    assert error.entry


@pytest.mark.parametrize("name", ["..a/b", "a..b", "...", "a/.hidden", "a b", "é/漢"])
def test_a_name_that_only_looks_odd_is_taken(name: str, tmp_path: Path) -> None:
    assert _unpacked(_zip((name, b"1")), tmp_path) == [(name, b"1")]


def test_a_name_with_a_nul_is_refused(tmp_path: Path) -> None:
    data = _zip(("abXcd", b"1")).replace(b"abXcd", b"ab\x00cd")
    assert _refused(data, tmp_path).code == "bad_entry_name"


def test_an_entry_without_a_name_is_refused(tmp_path: Path) -> None:
    data = _zip(("X", b"1")).replace(b"X", b"\x00")  # zipfile takes a name to end at its first NUL
    assert _refused(data, tmp_path).code == "bad_entry_name"


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO, stat.S_IFSOCK])
def test_a_link_or_a_device_is_refused(kind: int, tmp_path: Path) -> None:
    error = _refused(_zip((_link("x", kind), b"/etc/passwd")), tmp_path)
    assert (error.code, error.entry) == ("link_entry", "x")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_entry_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    assert _refused(_zip(("a", b"1"), ("a", b"2")), tmp_path).code == "duplicate_entry"


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_method_that_cannot_be_unpacked_piece_by_piece_is_refused(method: int, tmp_path: Path) -> None:
    error = _refused(_zip(("ok", b"1"), method=method), tmp_path)
    assert (error.code, error.entry) == ("unknown_method", "ok")


def test_a_full_disk_is_not_blamed_on_the_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, mode: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(OSError, match="No space"):
        _unpacked(_zip(("a", b"x")), tmp_path)


def test_an_encrypted_entry_is_refused_with_the_remedy(tmp_path: Path) -> None:
    data = bytearray(_zip(("a", b"1")))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + offset] |= 1
    error = _refused(bytes(data), tmp_path)
    assert error.code == "encrypted"
    assert "password" in error.remedy


# Damage


_BILL = _zip(("june.csv", b"Date,Cost\n" * 100), ("july.csv", b"hello"), method=zipfile.ZIP_STORED)


@pytest.mark.parametrize(
    ("data", "said", "location"),
    [
        (b"PK\x03\x04", "zip ends in the middle", {"entry": ""}),
        (b"PK\x03\x04" + b"\x00" * 100, "zip ends in the middle", {"entry": ""}),
        (b"\x1f\x8b", "gzip ends in the middle (after byte 2)", {"entry": "", "byte": 2}),
        (b"\x1f\x8b" + b"\xff" * 100, "gzip is damaged", {"entry": "", "byte": 0}),
        (_gzip(b"x" * 1000)[:-9], "gzip ends in the middle (after byte 20)", {"entry": "", "byte": 20}),
        (_gzip(b"x" * 1000)[:-4] + b"\x00\x00\x00\x00", "holds other bytes than were packed", {"entry": "", "byte": 0}),
        (_gzip(b"x") + b"no gzip", "something else behind its end (after byte 21)", {"entry": "", "byte": 21}),
        (_BILL[:-30], "zip ends in the middle", {"entry": ""}),
        (_BILL.replace(b"hello", b"hallo"), "than were packed (entry july.csv, after byte 1,038)",
         {"entry": "july.csv", "byte": 1038}),
        (_zip(("in.zip", _BILL[:500])), "ends in the middle (entry in.zip)", {"entry": "in.zip"}),
        (_zip(("july.csv.gz", _gzip(b"x" * 90)[:-9])), "entry july.csv.gz", {"entry": "july.csv.gz", "byte": 15}),
    ],
)  # fmt: skip
def test_a_broken_archive_is_refused_in_our_words_with_its_place_and_the_remedy(
    data: bytes, said: str, location: dict[str, object], tmp_path: Path
) -> None:
    error = _refused(data, tmp_path)
    assert (error.code, error.location) == ("broken_archive", location), error.message
    assert said in error.message
    for words in ("Error -", "CRC-32", "File is not"):
        assert words not in error.message


_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
_ARCHIVES = [_zip(("a.json", b"one" * 20), ("é/b.gz", _gzip(b"two")), method=method) for method in _METHODS]
_ARCHIVES += [_gzip(b"three" * 20), _gzip(_zip(("c", b"4")))]


def _outcome(data: bytes, folder: Path) -> Iterable[object]:
    try:
        return _unpacked(data, folder)
    except UnpackError as error:
        return [error.code, error.message, error.remedy]


@given(
    st.sampled_from(_ARCHIVES),
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=6),
)
@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_archive_is_refused_or_read_and_nothing_else(
    tmp_path: Path, data: bytes, changes: list[tuple[int, int]]
) -> None:
    damaged = bytearray(data)
    for place, value in changes:
        damaged[place % len(damaged)] = value
    assert all(_outcome(bytes(damaged), tmp_path)) or damaged == data


@pytest.mark.parametrize("number", range(len(_ARCHIVES)))
def test_an_archive_that_is_cut_off_anywhere_is_refused(number: int, tmp_path: Path) -> None:
    data = _ARCHIVES[number]
    for end in range(4, len(data)):
        assert {"broken_archive", "unknown_method"} & set(_outcome(data[:end], tmp_path)), end


def test_a_checksum_error_names_no_place_of_ours(tmp_path: Path) -> None:
    data = _zip(("a", b"hello"), method=zipfile.ZIP_STORED).replace(b"hello", b"hallo")
    assert str(tmp_path) not in _refused(data, tmp_path).message
    assert zlib.crc32(b"hello") != zlib.crc32(b"hallo")

"""Tars taken apart: the same caps and refusals as for zips, and headers that would harm."""

import gzip
import io
import tarfile
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from platform_risk.core.unpack import Limits, UnpackError, unpack
from tests.examples import examples

_MEBI = 1024 * 1024
LIMITS = Limits(stored_bytes=40 * _MEBI, unpacked_bytes=40 * _MEBI, ratio=200, entries=100, depth=2)
FORMATS = (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)


def _info(name: str, size: int = 0, **fields: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size = size
    for field, value in fields.items():
        setattr(info, field, value)
    return info


def _tar(*entries: tuple[str | tarfile.TarInfo, bytes], format_: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format_) as archive:
        for entry, data in entries:
            info = entry if isinstance(entry, tarfile.TarInfo) else _info(entry, len(data))
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def _unpacked(data: bytes, folder: Path, limits: Limits = LIMITS) -> list[tuple[str, bytes]]:
    return [(entry.name, entry.path.read_bytes()) for entry in unpack(io.BytesIO(data), folder=folder, limits=limits)]


def _refused(data: bytes, folder: Path, limits: Limits = LIMITS) -> UnpackError:
    with pytest.raises(UnpackError) as caught:
        _unpacked(data, folder, limits)
    assert caught.value.remedy
    return caught.value


@pytest.mark.parametrize("format_", FORMATS)
def test_files_of_a_tar_come_out_with_their_places(format_: int, tmp_path: Path) -> None:
    long = "a" * 90 + "/" + "b" * 60 + ".yaml"
    data = _tar(("k8s/api.yaml", b"one"), (_info("k8s", type=tarfile.DIRTYPE), b""), (long, b"two"), format_=format_)
    assert _unpacked(data, tmp_path) == [("k8s/api.yaml", b"one"), (long, b"two")]


def test_a_name_of_any_language_is_taken(tmp_path: Path) -> None:
    assert _unpacked(_tar(("é/漢.yaml", b"1")), tmp_path) == [("é/漢.yaml", b"1")]


def test_archives_in_a_tar_are_taken_apart_as_deep_as_is_allowed(tmp_path: Path) -> None:
    inner = _tar(("a.yaml", b"1"))
    assert _unpacked(_tar(("inner.tar", inner)), tmp_path) == [("inner.tar/a.yaml", b"1")]
    deep = _tar(("x.tar", _tar(("y.tar", inner))))
    assert _refused(deep, tmp_path).code == "too_deep"


def test_a_gzipped_tar_that_unpacks_to_much_more_is_refused(tmp_path: Path) -> None:
    assert _refused(gzip.compress(_tar(("a", bytes(30 * _MEBI)))), tmp_path).code == "bomb"


def test_too_many_entries_are_refused(tmp_path: Path) -> None:
    data = _tar(*((_info(str(number), type=tarfile.DIRTYPE), b"") for number in range(101)))
    assert _refused(data, tmp_path).code == "too_many_entries"


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(kind: bytes, tmp_path: Path) -> None:
    error = _refused(_tar((_info("a", type=kind, linkname="b"), b"")), tmp_path)
    assert (error.code, error.entry) == ("link_entry", "a")


@pytest.mark.parametrize("name", ["../a", "a/../../b", "/etc/passwd", "C:\\a", "a\\..\\b"])
def test_a_name_that_points_outside_is_refused(name: str, tmp_path: Path) -> None:
    assert _refused(_tar((name, b"1")), tmp_path).code == "bad_entry_name"


def test_an_entry_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    assert _refused(_tar(("a", b"1"), ("a", b"2")), tmp_path).code == "duplicate_entry"


# Headers that would harm


def _header(kind: bytes, size: int, content: bytes = b"") -> bytes:
    block = _info("x", size, type=kind).tobuf(tarfile.GNU_FORMAT)
    return block + content + bytes(-len(content) % 512)


def _pax(words: bytes) -> bytes:
    record = b"%d %s\n" % (len(words) + len(str(len(words) + 5)) + 2, words)
    return _header(tarfile.XHDTYPE, len(record), record) + _tar(("a.yaml", b"1" * 600))


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK])
def test_a_header_of_megabytes_is_not_read_into_memory(kind: bytes, tmp_path: Path) -> None:
    data = _header(kind, 30 * _MEBI, bytes(30 * _MEBI)) + _tar(("a.yaml", b"1"))
    tracemalloc.start()
    try:
        assert _refused(data, tmp_path).code == "odd_header"
        assert tracemalloc.get_traced_memory()[1] < 10 * _MEBI
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "data",
    [
        _pax(b"GNU.sparse.major=1") + _pax(b"GNU.sparse.minor=0"),
        _pax(b"GNU.sparse.map=0,99999999999"),
        _pax(b"size=-512"),
        _header(tarfile.GNUTYPE_SPARSE, 0) + bytes(1024),
    ],
)
def test_maps_of_holes_and_negative_sizes_are_refused(data: bytes, tmp_path: Path) -> None:
    assert _refused(data, tmp_path).code == "odd_header"


def test_what_follows_the_end_of_a_tar_is_not_looked_at(tmp_path: Path) -> None:
    assert _unpacked(_tar(("a.yaml", b"1")) + b"anything", tmp_path) == [("a.yaml", b"1")]


_WHOLE = _tar(("a.yaml", b"1" * 700), ("long" * 40, b"2"), (_info("d", type=tarfile.DIRTYPE), b""))


@given(st.lists(st.tuples(st.integers(0, len(_WHOLE) - 1), st.integers(0, 255)), min_size=1, max_size=8))
@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_tar_is_refused_or_read_and_nothing_else(tmp_path: Path, changes: list[tuple[int, int]]) -> None:
    data = bytearray(_WHOLE)
    for place, value in changes:
        data[place] = value
    refusals = {"broken_archive", "bad_entry_name", "link_entry", "duplicate_entry", "odd_header"}
    assert _outcome(bytes(data), tmp_path) in {"read", *refusals}


def _outcome(data: bytes, folder: Path) -> str:
    try:
        _unpacked(data, folder)
    except UnpackError as error:
        return error.code
    return "read"


@pytest.mark.parametrize("length", [600, 1024, 1500])
def test_a_tar_that_is_cut_off_within_a_file_is_refused(length: int, tmp_path: Path) -> None:
    assert (
        _refused(_tar(("a.yaml", b"1" * 2000), format_=tarfile.USTAR_FORMAT)[:length], tmp_path).code
        == "broken_archive"
    )

"""Plain files out of an upload: gzip, zip and tar taken apart, with every cap counted while reading. PURE.

What an archive says about itself (sizes, counts) is never believed. What is refused is named with its entry and what
to do. Nothing is written but fresh files with names of our own, so no entry's name ever reaches the file system.
"""

import contextlib
import errno
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

_CHUNK = 256 * 1024
# Small things compress well without being bombs: the ratio counts only above this.
_RATIO_FLOOR = 10 * 1024 * 1024
_GZIP = b"\x1f\x8b"
_ZIPS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_LONGEST_NAME = 500
_HEAD = 512  # as far as a tar says that it is one, and one of its headers
# Headers that say something of the next one: long names, extended attributes.
_ABOUT_NEXT = (
    tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK,
)  # fmt: skip
_LONGEST_HEADER = 1_000_000
_ODD = re.compile(rb"GNU\.sparse|[ \n]size=-")
# What zipfile raises for a damaged archive: headers it cannot unpack, names it cannot decode, places before the start.
_BROKEN = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError,
)  # fmt: skip
# zipfile unpacks the others (bzip2, LZMA) a whole chunk at a time: 256 KiB can become gigabytes of memory.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# How they say that an archive ends too early, and that what comes out is not what was packed.
_CUT = ("not a zip file", "unexpected end of data", "ends in the middle")
_CHECKSUM = ("CRC", "incorrect data check", "incorrect length check")
_FOLLOWS = "something follows"
_AGAIN = "Pack or export it again, and copy it as it is: not as text, and not through a program that changes it."
_ABSOLUTE = re.compile(r"[/\\]|[A-Za-z]:")


@dataclass(frozen=True)
class Limits:
    stored_bytes: int  # the upload as it arrives
    unpacked_bytes: int  # all entries together
    ratio: int  # unpacked to stored
    entries: int
    depth: int  # archives inside archives; a plain file is 0, a .gz is 1


@dataclass(frozen=True)
class Entry:
    """One file that was written; `name` is its place in the archive, "" for an upload that was plain."""

    name: str
    path: Path
    size: int


class UnpackError(Exception):
    """An upload that is not taken apart: what, in which entry, and what to do about it."""

    def __init__(self, code: str, message: str, *, remedy: str, entry: str = "", byte: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.remedy = remedy
        self.entry = entry
        self.location: dict[str, Any] = {"entry": entry} | ({} if byte is None else {"byte": byte})


def unpack(file: IO[bytes], *, folder: Path, limits: Limits) -> Iterator[Entry]:
    """Every plain file of the upload, written below `folder` as its turn comes. Raises UnpackError."""
    return _Unpacker(folder, limits).run(file)


@dataclass
class _Unpacker:
    folder: Path
    limits: Limits
    _written: int = 0
    _entries: int = 0
    _files: int = 0
    _stored: int = 0
    _seen: set[str] = field(default_factory=set)

    def run(self, file: IO[bytes]) -> Iterator[Entry]:
        self._stored = file.seek(0, 2)
        file.seek(0)
        if self._stored > self.limits.stored_bytes:
            raise UnpackError(
                "too_large",
                f"The file has {self._stored:,} bytes; {self.limits.stored_bytes:,} are allowed.",
                remedy="Split it, or raise the limit in the settings.",
            )
        yield from self._taken_apart(file, name="", depth=0)

    def _taken_apart(self, file: IO[bytes], *, name: str, depth: int) -> Iterator[Entry]:
        head = file.read(_HEAD)
        file.seek(0)
        is_gzip, is_zip, is_tar = head[:2] == _GZIP, head[:4] in _ZIPS, _is_tar(head)
        if (is_gzip or is_zip or is_tar) and depth >= self.limits.depth:
            raise UnpackError(
                "too_deep",
                f"Archives nest more than {self.limits.depth} deep.",
                remedy="Upload the inner archive by itself.",
                entry=name,
            )
        if is_zip:
            yield from self._zip(file, name=name, depth=depth)
        elif is_tar:
            yield from self._tar(file, name=name, depth=depth)
        elif is_gzip:
            inner = self._kept(_gunzipped(file, name), name)
            yield from self._again(inner, name.removesuffix(".gz"), depth + 1)
        elif depth:
            # Already a file of our own (its name is the handle's): the caller of _again hands it out.
            raise AssertionError("plain files below the top are handed out by _again")
        else:
            kept = self._kept(iter(lambda: file.read(_CHUNK), b""), name)
            yield Entry(name, kept, kept.stat().st_size)

    def _again(self, path: Path, name: str, depth: int) -> Iterator[Entry]:
        """A file that came out of an archive: itself, or what is inside it."""
        with path.open("rb") as file:
            head = file.read(_HEAD)
            file.seek(0)
            if head[:2] == _GZIP or head[:4] in _ZIPS or _is_tar(head):
                yield from self._taken_apart(file, name=name, depth=depth)
            else:
                yield Entry(name, path, path.stat().st_size)
                return
        path.unlink()

    def _zip(self, file: IO[bytes], *, name: str, depth: int) -> Iterator[Entry]:
        entry, byte = name, None
        try:
            with zipfile.ZipFile(file) as archive:
                self._count(len(archive.infolist()), name)
                for info in archive.infolist():
                    entry, byte = f"{name}/{info.filename}" if name else info.filename, info.header_offset
                    if info.filename.endswith("/") or info.filename.startswith("__MACOSX/"):
                        continue
                    self._check(info, entry)
                    with archive.open(info) as inside:
                        kept = self._kept(_chunks(inside), entry)
                    yield from self._again(kept, entry, depth + 1)
        except _BROKEN as error:
            if isinstance(error, OSError) and error.errno == errno.ENOSPC:
                raise
            raise _broken("zip", error, entry, byte) from error

    def _tar(self, file: IO[bytes], *, name: str, depth: int) -> Iterator[Entry]:
        entry, byte = name, 0
        try:
            # Not compressed: gzip around it was taken apart before. Headers are read one by one, as they come.
            with tarfile.open(fileobj=file, mode="r:", tarinfo=_Header) as archive:
                for info in archive:
                    self._count(1, name)
                    entry, byte = f"{name}/{info.name}" if name else info.name, info.offset
                    if info.isdir():
                        continue
                    self._check_tar(info, entry)
                    inside = archive.extractfile(info)
                    assert inside is not None
                    kept = self._kept(_chunks(inside), entry)
                    yield from self._again(kept, entry, depth + 1)
                if not archive.offset or file.seek(0, 2) < archive.offset:
                    raise EOFError("it ends in the middle")
        except (tarfile.TarError, *_BROKEN) as error:
            if isinstance(error, OSError) and error.errno == errno.ENOSPC:
                raise
            raise _broken("tar", error, entry, byte) from error

    def _check_tar(self, info: tarfile.TarInfo, entry: str) -> None:
        self._check_name(info.name, entry)
        if not info.isreg():
            raise _link(entry)
        self._see(entry)

    def _count(self, more: int, name: str) -> None:
        self._entries += more
        if self._entries > self.limits.entries:
            raise UnpackError(
                "too_many_entries",
                f"The archive has {self._entries:,} entries; {self.limits.entries:,} are allowed.",
                remedy="Upload fewer files at a time.",
                entry=name,
            )

    def _check(self, info: zipfile.ZipInfo, entry: str) -> None:
        self._check_name(info.filename if "\x00" not in info.orig_filename else "", entry)
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG):
            raise _link(entry)
        if info.flag_bits & 0x1:
            raise UnpackError(
                "encrypted", f"The entry {_short(entry)} is encrypted.", remedy="Pack it without a password.",
                entry=_short(entry),
            )  # fmt: skip
        if info.compress_type not in _METHODS:
            raise UnpackError(
                "unknown_method",
                f"The entry {_short(entry)} is packed with a method other than deflate.",
                remedy="Pack it in the usual way (deflate).",
                entry=_short(entry),
            )
        self._see(entry)

    def _check_name(self, name: str, entry: str) -> None:
        if not name or ".." in re.split(r"[/\\]", name) or _ABSOLUTE.match(name) or "\x00" in name:
            raise UnpackError(
                "bad_entry_name",
                f"An entry is named {_short(entry)}: that is no place inside the archive.",
                remedy="Pack the files with relative names.",
                entry=_short(entry),
            )

    def _see(self, entry: str) -> None:
        if entry in self._seen:
            raise UnpackError(
                "duplicate_entry",
                f"The archive has the entry {_short(entry)} twice.",
                remedy="Pack it again: which of the two is meant cannot be known.",
                entry=_short(entry),
            )
        self._seen.add(entry)

    def _kept(self, chunks: Iterator[bytes], entry: str) -> Path:
        """The chunks as a file of our own, counted as they come."""
        self._files += 1
        path = self.folder / f"entry-{self._files:05}"
        with path.open("wb") as out:
            for chunk in chunks:
                self._written += len(chunk)
                self._check_size(entry)
                out.write(chunk)
        return path

    def _check_size(self, entry: str) -> None:
        if self._written > self.limits.unpacked_bytes:
            raise UnpackError(
                "unpacked_too_large",
                f"It unpacks to more than {self.limits.unpacked_bytes:,} bytes.",
                remedy="Split it, or raise the limit in the settings.",
                entry=_short(entry),
            )
        if self._written > _RATIO_FLOOR and self._written > self._stored * self.limits.ratio:
            raise UnpackError(
                "bomb",
                f"It unpacks to more than {self.limits.ratio} times its size.",
                remedy="This looks like an archive made to fill a disk; upload the file unpacked.",
                entry=_short(entry),
            )


class _Header(tarfile.TarInfo):
    """A header that is looked at before tarfile believes it: it would read a long name of gigabytes into memory, go
    round in circles at a negative size, and take a map of holes for as long as somebody says it is."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> "_Header":
        file = archive.fileobj
        assert file is not None
        place = file.tell()
        head = file.read(_HEAD)
        with contextlib.suppress(tarfile.HeaderError):
            info = tarfile.TarInfo.frombuf(head, archive.encoding or "utf-8", archive.errors or "surrogateescape")
            is_about_next = info.type in _ABOUT_NEXT
            if info.size < 0 or info.type == tarfile.GNUTYPE_SPARSE or (is_about_next and info.size > _LONGEST_HEADER):
                raise _odd()
            if is_about_next and _ODD.search(file.read(info.size)):
                raise _odd()
        file.seek(place)
        return super().fromtarfile(archive)


def _odd() -> UnpackError:
    return UnpackError(
        "odd_header", "The tar has a header that no usual tool writes.", remedy="Pack it again, with tar or as a zip."
    )


def _is_tar(head: bytes) -> bool:
    return head[257:262] == b"ustar"


def _link(entry: str) -> UnpackError:
    return UnpackError(
        "link_entry",
        f"The entry {_short(entry)} is a link or a device, not a file.",
        remedy="Pack the files themselves, as tar -h does, or leave it out.",
        entry=_short(entry),
    )


def _broken(kind: str, error: Exception, entry: str, byte: int | None) -> UnpackError:
    """What zlib, zipfile and tarfile find wrong, in our words. `byte` is where what cannot be read begins, or a little
    before: they do not say it themselves."""
    found = str(error)
    if isinstance(error, EOFError) or any(words in found for words in _CUT):
        said, remedy = "ends in the middle", "It was cut off on its way: upload it again, and compare its size."
    elif found == _FOLLOWS:
        said, remedy = "has something else behind its end", "Upload it as it was exported, with nothing added to it."
    elif any(words in found for words in _CHECKSUM):
        said, remedy = "holds other bytes than were packed", _AGAIN
    else:
        said, remedy = "is damaged", _AGAIN
    places = [f"entry {_short(entry)}"] if entry else []
    places += [] if byte is None else [f"after byte {byte:,}"]
    where = f" ({', '.join(places)})" if places else ""
    return UnpackError(
        "broken_archive", f"The {kind} {said}{where}.", remedy=remedy, entry=_short(entry), byte=byte
    )  # fmt: skip


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK):
        yield chunk


def _gunzipped(file: IO[bytes], name: str) -> Iterator[bytes]:
    """Members one after another, never more than a chunk at a time however much a chunk unpacks to."""
    decoder = zlib.decompressobj(wbits=31)
    waiting = file.read(_CHUNK)
    try:
        while waiting:
            chunk = decoder.decompress(waiting, _CHUNK)
            waiting = decoder.unconsumed_tail
            if chunk:
                yield chunk
            if decoder.eof:
                waiting = (decoder.unused_data or file.read(_CHUNK)).lstrip(b"\x00")  # padding after a member is usual
                if not _GZIP.startswith(waiting[:2]):
                    raise zlib.error(_FOLLOWS)
                decoder = zlib.decompressobj(wbits=31) if waiting else decoder
            elif not waiting and (chunk or not decoder.eof):
                waiting = file.read(_CHUNK)
                if not waiting:
                    yield from _rest(decoder)
        if not decoder.eof:
            raise EOFError
    except (zlib.error, EOFError) as error:
        raise _broken("gzip", error, name, file.tell() - len(waiting)) from error


def _rest(decoder: "zlib._Decompress") -> Iterator[bytes]:
    """What zlib still holds back after its last input, in chunks."""
    while chunk := decoder.decompress(b"", _CHUNK):
        yield chunk


def _short(text: str) -> str:
    return text.encode("utf-8", "replace").decode()[:_LONGEST_NAME]

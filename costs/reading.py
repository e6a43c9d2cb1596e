"""From a stored upload to an opened bill, wherever the file is kept."""

import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from django.conf import settings

from costs.bills import charges_csv, detect, registry, tables
from costs.bills.opening import Bill, open_bill
from costs.bills.preview import Preview, preview
from costs.bills.records import BillError, Head, Tick
from costs.bills.tags import KEYS
from costs.models import SharedCost
from costs.usage import registry as usage
from costs.usage.records import UsageError
from platform_risk.core import looks
from platform_risk.core.models import ColumnMapping, Import, OwnershipRule
from platform_risk.core.unpack import Limits, UnpackError, unpack

_ARCHIVES = (b"\x1f\x8b", b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")


def formats() -> frozenset[str]:
    return frozenset(registry.FORMATS)


def tag_keys() -> frozenset[str]:
    """Tags that are kept of a bill: the usual ones, and those that a rule asks for."""
    rules = OwnershipRule.objects.filter(kind__in=("tag", "label")).values_list("pattern", flat=True)
    shared = SharedCost.objects.filter(kind=SharedCost.Kind.TAG).values_list("pattern", flat=True)
    named = {pattern.partition("=")[0].strip().lower() for pattern in (*rules, *shared)}
    return KEYS | {name for name in named if name and "*" not in name and "?" not in name}


def remembered(signature: str) -> Any:
    row = ColumnMapping.objects.filter(signature=signature).first()
    return row.columns if row else None


def previewed(row: Import, columns: Mapping[str, str]) -> Preview:
    """What a list of charges would come to with these columns; nothing is applied. Raises BillError."""
    with tempfile.TemporaryDirectory(prefix="bill-") as name:
        folder = Path(name)
        return preview(_files(row, folder), columns, folder=folder, tag_keys=KEYS)


@contextmanager
def opened(row: Import, keys: frozenset[str], tick: Tick = lambda _: None) -> Iterator[tuple[Bill, Path]]:
    """The bill, and a folder for what is made of it; both are gone when the context ends. Raises BillError."""
    with tempfile.TemporaryDirectory(prefix="bill-") as name:
        folder = Path(name)
        files = _files(row, folder)
        if not files:
            raise BillError("empty_archive", "The archive holds no files.", remedy="Put the export into it.")
        try:
            bill = open_bill(
                files, folder=folder, requested=row.requested_format, tag_keys=keys, remembered=remembered, tick=tick
            )
        except BillError as error:
            if error.code in ("unknown_format", "mapping_needed") and not row.requested_format:
                _refuse_usage(files)
            raise
        yield bill, folder


def _refuse_usage(files: Sequence[tuple[str, Path]]) -> None:
    """Raises BillError for what is no bill, but tells how much of a platform is used, with what is wrong with it."""
    for entry, path in files:
        content = path.read_bytes() if path.stat().st_size <= looks.MOST_BYTES else b""
        try:
            title = usage.FORMATS[usage.detect(content)].title
        except UsageError:
            continue
        said, remedy = "", "Hand it in as usage: with kind usage, or without a kind."
        try:
            usage.read(content)
        except UsageError as error:
            said, remedy = f" {error.message}", f"{error.remedy} {remedy}"
        raise BillError("usage_file", f"This is no bill, but usage ({title}).{said}", remedy=remedy, entry=entry)


def _files(row: Import, folder: Path) -> list[tuple[str, Path]]:
    with row.file.open("rb") as stored:
        head = stored.read(512)
        if head[:4] not in _ARCHIVES and head[:2] not in _ARCHIVES and head[257:262] != b"ustar":
            try:
                return [("", Path(row.file.path))]
            except NotImplementedError:  # a storage without files of this machine: a copy it is
                pass
        stored.seek(0)
        limits = settings.IMPORT_LIMITS[row.kind]
        names = {name: limits[name] for name in ("stored_bytes", "unpacked_bytes", "ratio", "entries")}
        try:
            entries = list(unpack(stored, folder=folder, limits=Limits(**names, depth=limits["archive_depth"])))
        except UnpackError as error:
            raise BillError(error.code, error.message, remedy=error.remedy, **error.location) from error
    return [(entry.name, entry.path) for entry in entries]


def columns_of(row: Import) -> tuple[list[str], dict[str, str]]:
    """(headers, the mapping in force) of a list of charges; ([], {}) when it is none."""
    try:
        with opened(row, KEYS) as (bill, _):
            headers = list(bill.parts[0].table.headers) if bill.format == charges_csv.NAME else []
    except BillError as error:
        headers = list(error.location.get("headers") or [])
    if not headers:
        return [], {}
    return headers, {**charges_csv.guess(headers), **(remembered(charges_csv.signature(headers)) or {})}


def is_bill(file: IO[bytes]) -> bool:
    """Whether an upload looks like a bill; it is left at its beginning. Archives are judged by what comes first."""
    try:
        start = _start(file)
    except (zlib.error, zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError, ValueError):
        return False
    finally:
        file.seek(0)
    if start[:4] == b"PAR1":
        return True  # no report of findings comes as Parquet
    head = _head(start)
    return head is not None and detect.likeliest(head)[1] >= 0.9


def _start(file: IO[bytes]) -> bytes:
    start = file.read(tables.HEAD_BYTES)
    if start[:2] == b"\x1f\x8b":
        return zlib.decompressobj(wbits=31).decompress(start, tables.HEAD_BYTES)
    if start[:4] == b"PK\x03\x04":
        file.seek(0)
        with zipfile.ZipFile(file) as archive:
            for info in archive.infolist()[:20]:
                if not info.is_dir() and not info.filename.endswith(".json") and info.file_size:
                    with archive.open(info) as inside:
                        begins = inside.read(tables.HEAD_BYTES)
                    if begins[:2] == b"\x1f\x8b":
                        return zlib.decompressobj(wbits=31).decompress(begins, tables.HEAD_BYTES)
                    return begins
    return start


def _head(start: bytes) -> Head | None:
    try:
        return tables.peek(start)
    except BillError:
        return None

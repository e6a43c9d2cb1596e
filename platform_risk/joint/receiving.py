"""The one way in for files: pages, API and the demo hand them in here."""

import zipfile
from typing import Any

from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.db import transaction

from costs import reading as bills
from costs.usage import registry as usage
from costs.usage.records import UsageError
from findings import configuration
from findings.scans import detect, registry
from findings.scans.records import ScanError
from platform_risk.core import giving_way, looks
from platform_risk.core.errors import Refused
from platform_risk.core.imports import services
from platform_risk.core.imports.destination import resolve
from platform_risk.core.models import Import, ImportKind, User
from platform_risk.core.tasks import run_import, undo_import
from platform_risk.joint import peeking

_MOST_LOOKED_AT = 32 * 1024 * 1024


def formats_of(kind: str) -> frozenset[str]:
    """Names that a sender may state, for a kind."""
    known: dict[str, frozenset[str]] = {
        ImportKind.SCAN: frozenset(registry.formats()),
        ImportKind.PLATFORM: frozenset((configuration.FORMAT,)),
        ImportKind.BILL: bills.formats(),
        ImportKind.USAGE: frozenset(usage.FORMATS),
    }
    return known.get(kind, frozenset())


def formats() -> frozenset[str]:
    return frozenset(name for kind in ImportKind.values for name in formats_of(kind))


def kind_of(upload: "UploadedFile[Any]", names: dict[str, Any]) -> str:
    """What an upload is whose kind nobody stated: as its format says, else its names, else its content."""
    stated = names.get("format") or ""
    for kind in ImportKind.values:
        if stated in formats_of(kind):
            return kind
    if upload.file is None:
        return ImportKind.SCAN
    if _is_report(upload):
        return ImportKind.SCAN
    if not names.get("service") and bills.is_bill(upload.file):
        return ImportKind.BILL
    if _is_usage(upload):
        return ImportKind.USAGE
    if names.get("export") or names.get("billing_account"):
        return ImportKind.BILL
    return ImportKind.PLATFORM if peeking.is_configuration(upload.file, upload.name or "") else ImportKind.SCAN


def together(uploads: "list[UploadedFile[Any]]", paths: list[str], names: dict[str, Any]) -> "list[UploadedFile[Any]]":
    """Several files of configuration as one archive: each by itself would replace what the one before it said.

    `paths` are their names with folders, where the sender knows them, one for each upload. Raises Refused for an
    archive beside others: what is in both would be somebody's guess.
    """
    stated = names.get("kind") or ""
    own = {key: value for key, value in names.items() if key != "kind"}
    if len(uploads) < 2 or stated not in ("", ImportKind.PLATFORM):
        return uploads
    of_platform = [stated == ImportKind.PLATFORM or kind_of(each, own) == ImportKind.PLATFORM for each in uploads]
    if sum(of_platform) < 2:
        return uploads
    named = paths if len(paths) == len(uploads) else [each.name or "" for each in uploads]
    chosen = [(upload, name) for upload, name, is_it in zip(uploads, named, of_platform, strict=True) if is_it]
    if any((upload.name or "").lower().endswith(_ARCHIVES) for upload, _ in chosen):
        raise Refused("Configuration that belongs together is one upload: pack all of it into one archive.")
    others = [upload for upload, is_it in zip(uploads, of_platform, strict=True) if not is_it]
    return [_packed(chosen), *others]


_LONGEST_PATH = 1_000  # characters: an archive has room for 64 KB
_ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".zst")


def _packed(chosen: "list[tuple[UploadedFile[Any], str]]") -> "UploadedFile[Any]":
    tops = {name.partition("/")[0] for _, name in chosen if "/" in name}
    is_folder = len(tops) == 1 and all("/" in name for _, name in chosen)
    packed = TemporaryUploadedFile(
        f"{tops.pop() if is_folder else f'{len(chosen)} files'}.zip", "application/zip", 0, ""
    )
    seen: set[str] = set()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, (upload, name) in enumerate(chosen, start=1):
            # Two of one name, of which nobody says in which folders they are.
            name = name[-_LONGEST_PATH:]  # its end says what it is
            entry = f"{number}/{name}" if name in seen else name
            seen.add(entry)
            info = zipfile.ZipInfo(entry)  # without the time: the same files are the same archive
            info.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(info, "w") as target:
                for chunk in upload.chunks():
                    target.write(chunk)
    packed.size = packed.tell()
    packed.seek(0)
    return packed


def _is_report(upload: "UploadedFile[Any]") -> bool:
    head = upload.read(detect.HEAD_BYTES)
    upload.seek(0)
    return detect.is_sure(head)


def _is_usage(upload: "UploadedFile[Any]") -> bool:
    """What says how much is used is small; what is not, nobody has to be asked about."""
    if not upload.size or upload.size > _MOST_LOOKED_AT:
        return False
    content = upload.read()
    upload.seek(0)
    return usage.is_usage(content)


def hand_in(upload: "UploadedFile[Any]", *, user: User, **names: Any) -> Import:
    """Stores the file and its row, and calls a worker after commit; `names` as `resolve` takes them.

    Robust: with the broker away the row still stands, and the sweeper finds it.
    """
    stated = names.pop("kind", "")
    kind = stated or kind_of(upload, names)
    if not (stated or names.get("format") or names.get("service")):
        _refuse_unknown(upload, kind)
    allowed = formats_of(kind) if kind in ImportKind.values else formats()

    @transaction.atomic
    def received() -> Import:
        row = services.receive(upload, resolve(user=user, kind=kind, formats=allowed, **names), user=user)
        enqueue(row)
        return row

    return giving_way.again(received, [upload])  # each file by itself: the others of a request are in already


def _refuse_unknown(upload: "UploadedFile[Any]", kind: str) -> None:
    """What nothing says of what kind it is would be a report of some service: what is wrong with it is said first, and
    with usage that is broken.

    Raises Refused, unless it is a report beyond doubt: of that, the service alone is missing.
    """
    if kind == ImportKind.USAGE:
        _refuse_broken_usage(upload)
    if (
        kind != ImportKind.SCAN
        or upload.file is None
        or not upload.size
        or upload.size > looks.MOST_BYTES
        or _is_report(upload)
    ):
        return
    content = upload.read()
    upload.seek(0)
    fault = looks.fault(content)
    text, encoding = looks.as_utf8(content)
    if fault is not None and fault.code == "wrong_encoding" and encoding and text.lstrip()[:1] not in (b"{", b"["):
        fault, content = None, text  # tables are read in other encodings too: that it is one is no help
    if fault is not None:
        raise Refused(f"{upload.name}: {fault.message} {fault.remedy}", field="file")
    try:
        detect.of(content)
    except ScanError:
        raise Refused(
            "Name the service, if it is the report of a scanner; or name the format, if it is a bill or usage: what it"
            f" is cannot be told from {upload.name}.", field="service",
        ) from None  # fmt: skip


def _refuse_broken_usage(upload: "UploadedFile[Any]") -> None:
    content = upload.read()
    upload.seek(0)
    try:
        usage.detect(content)
    except UsageError as error:
        raise Refused(f"{upload.name}: {error.message} {error.remedy}", field="file") from error


def enqueue(row: Import) -> None:
    # Not partial: Django names a callback that failed by its __qualname__.
    transaction.on_commit(lambda: run_import.delay(row.pk), robust=True)


def take_back(row: Import, *, user: User, reason: str = "") -> Import:
    """Undoes an import, at once or by a worker: what the row says."""
    with transaction.atomic():
        row = services.request_undo(row, user=user, reason=reason)
        if services.is_undoing(row):
            transaction.on_commit(lambda: undo_import.delay(row.pk), robust=True)
    return row

"""Whether an upload whose kind nobody stated is configuration: by its name, or by the names in an archive."""

import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from itertools import islice
from typing import IO, Any

from findings.scans.json_reader import outline

# No scan report is of these; JSON may be either, so its keys tell.
_ENDS = (".yaml", ".yml", ".tf", ".tfvars", ".hcl", ".toml", ".properties", ".env", ".py")
_NAMES = ("dockerfile", "containerfile", "chart.yaml")
_REPORTS = (".sarif", ".sarif.json", ".csv", ".xml")
_ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
_PLAN = frozenset({"terraform_version", "planned_values", "resource_changes", "values"})
_HEAD = 64 * 1024
_MOST_ENTRIES = 500
_MOST_BYTES = 32 * 1024 * 1024


def is_configuration(file: IO[bytes], name: str) -> bool:
    """`file` is left where it was found: at its beginning."""
    lowered = name.lower().removesuffix(".gz") if not name.lower().endswith(".tar.gz") else name.lower()
    if lowered.endswith(_ARCHIVES):
        return _of_archive(file)
    return _is_one(lowered) or _is_json(file)


def _is_json(file: IO[bytes]) -> bool:
    """Objects as `kubectl get --output json` writes them, or a plan of Terraform's. A long list names its kind at its
    end, so its beginning need not."""
    head = file.read(_HEAD)
    file.seek(0)
    keys = outline(head)
    objects = any(f"{base}apiVersion" in keys and {f"{base}kind", f"{base}items"} & set(keys) for base in ("", "[]."))
    return objects or ("format_version" in keys and not _PLAN.isdisjoint(keys))


def _is_one(name: str) -> bool:
    last = name.replace("\\", "/").rpartition("/")[2].lower()
    return last.endswith(_ENDS) or last.startswith(_NAMES)


def _of_archive(file: IO[bytes]) -> bool:
    """Some of its files are, and none is a report."""
    try:
        names = list(islice(_names(file), _MOST_ENTRIES))
    except (zipfile.BadZipFile, tarfile.TarError, OSError, EOFError, zlib.error, lzma.LZMAError, ValueError):
        return False  # whoever reads it says what is wrong with it
    finally:
        file.seek(0)
    return any(map(_is_one, names)) and not any(name.lower().endswith(_REPORTS) for name in names)


def _names(file: IO[bytes]) -> Iterator[str]:
    if zipfile.is_zipfile(file):
        file.seek(0)
        with zipfile.ZipFile(file) as archive:
            yield from (each.filename for each in archive.infolist()[:_MOST_ENTRIES] if not each.is_dir())
        return
    file.seek(0)
    passed = 0
    opened: Any = file
    with tarfile.open(fileobj=opened, mode="r|*") as archive:
        for member in archive:
            if member.isfile():
                yield member.name
            passed += max(member.size, 0)
            if passed > _MOST_BYTES:  # what follows would have to be unpacked to be passed over
                return

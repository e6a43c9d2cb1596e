"""Where Unix sockets lie. Their paths hold about a hundred bytes; a data folder may lie deeper than that."""

import hashlib
import os
import tempfile
from pathlib import Path

from platform_risk.local.processes import LocalError

# sun_path: 108 bytes on Linux, 104 on macOS, the closing NUL included.
LONGEST = 103
LONGEST_NAME = ".s.PGSQL.5432"


def socket_folder(folder: Path, purpose: str) -> Path:
    """The folder itself when its path is short enough, else a private one in the folder for temporary files."""
    if len(os.fsencode(folder / LONGEST_NAME)) <= LONGEST:
        return folder
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    short = Path(tempfile.gettempdir()) / f"platform-risk-{os.getuid()}-{digest}-{purpose}"
    short.mkdir(mode=0o700, exist_ok=True)
    # The name can be foretold: someone else may have made it, or a link to elsewhere, before us.
    status = short.lstat()
    if short.is_symlink() or status.st_uid not in {os.getuid(), folder.stat().st_uid}:
        raise LocalError(f"{short} belongs to someone else: remove it, or set PLATFORM_RISK_DATA to a shorter path")
    short.chmod(0o700)
    return short

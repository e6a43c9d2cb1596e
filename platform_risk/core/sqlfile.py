"""Named statements in .sql files: `-- name: x` starts one (a habit of procrastinate's)."""

import functools
import re
from pathlib import Path


@functools.cache
def statements(path: Path) -> dict[str, str]:
    parts = re.split(r"^-- name: (\w+)\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {name: body.strip() for name, body in zip(parts[1::2], parts[2::2], strict=True)}

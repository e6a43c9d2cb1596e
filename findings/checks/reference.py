"""The checks as a page of the documents: `python -m findings.checks.reference` prints docs/checks.md. PURE."""

import sys
from collections.abc import Iterator

from findings.checks.base import Meta
from findings.checks.registry import CHECKS
from findings.checks.remedies import remedies

_HEAD = """# Checks

What is looked for in a platform's own configuration, in the order of the analysis that this product began with. Each
says failed, passed or unknown of everything it looked at, and lays every figure open: formula, inputs, places.
Facts that no file can tell are declared as [scanning configuration](scan.md) says.
"""


def lines() -> Iterator[str]:
    yield _HEAD
    yield "| check | of the analysis | severity | category | leads to |"
    yield "|---|---|---|---|---|"
    for check in CHECKS.values():
        meta = check.meta
        section = meta.seed or "–"
        words = (meta.severity, meta.category.replace("_", " "), meta.outcome.replace("_", " "))
        yield f"| [`{meta.id}`](#{meta.id}) | {section} | {' | '.join(words)} |"
    for check in CHECKS.values():
        yield from _section(check.meta)


def _section(meta: Meta) -> Iterator[str]:
    yield f"\n## {meta.id}\n"
    yield f"{meta.title}.\n"
    yield f"- **Means.** {meta.means}"
    yield f"- **Why it matters.** {meta.why}"
    yield f"- **No problem when.** {meta.not_a_problem}"
    if meta.analysis:
        yield f"- **The analysis.** {meta.analysis}"
    yield f"- **Remedy.** {meta.remedy}"
    named = [f"{remedies()[each].title} (about {remedies()[each].effort_days} d)" for each in meta.remedies]
    if named:
        yield f"- **In the plan.** {'; '.join(named)}"
    yield f"- **Sources.** {' · '.join(f'<{each}>' for each in meta.references)}"
    if meta.patch:
        yield "\n" + "\n".join(f"    {line}".rstrip() for line in meta.patch.splitlines())


def text() -> str:
    return "\n".join(lines()) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())

"""Scanning configuration, against parsing the same files and nothing else; Checkov beside it where it is installed.

`PLATFORM_RISK_BENCH=/path/to/repositories make bench BENCH=bench/bench_scan.py` measures on files of yours; without it,
a platform of 200 services is written. Each run has a process of its own, which has done all once before it measures,
three times in turn; told is the least of its processor time. Checkov's is the clock, with its start.
"""

import ast
import contextlib
import gc
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import measure, platforms
from findings.checks import engine
from findings.platform import files, kubernetes, promql, reader, settings, terraform, yaml_reader
from findings.platform.files import File
from findings.platform.nodes import items, mapping

RUNS = 7
ROUNDS = 3
SERVICES = 200
EXPORTED = 1_000  # workloads of a cluster, with all that it makes of them


def parsed(given: list[File]) -> None:
    """Every file's text to a tree with lines, by the parsers that the scan uses."""
    for file in given:
        if _is_document(file):
            for _ in yaml_reader.read(file.text):
                pass
        elif file.path.endswith(".tf"):
            terraform.parse(file.text, file.path)
        elif file.path.endswith(".py"):
            ast.parse(file.text)


def parsed_as_usual(given: list[File]) -> None:
    """The floor (docs/decisions/0017): the parsers that one would take; PyYAML's loader in C for YAML and JSON."""
    for file in given:
        if _is_document(file):
            try:
                for _ in yaml.load_all(file.text, yaml.CSafeLoader):  # a safe loader, written in C
                    pass
            except yaml.YAMLError:
                continue  # it gives the whole file up
        else:
            parsed([file])


def parsed_within(given: list[File]) -> None:
    """By our own reader, with what is written inside documents: files in ConfigMaps, expressions of alert rules."""
    parsed([file for file in given if not _is_document(file)])
    for file in given:
        for document in yaml_reader.read(file.text) if _is_document(file) else ():
            root = document.root if isinstance(document, yaml_reader.Document) else None
            groups = [*items(root, "spec.groups"), *items(root, "groups")]
            for rule in (rule for group in groups for rule in items(group, "rules")):
                with contextlib.suppress(promql.NotUnderstood):
                    promql.parse(str(mapping(rule).get("expr")))
            for resource in kubernetes.resources(root, file.path):
                for name, text, line in kubernetes.embedded(resource):
                    settings.parsed(text, name, offset=line)


def _is_document(file: File) -> bool:
    return file.path.removesuffix(".sed").endswith((".yaml", ".yml", ".json"))


def looked_for(given: list[File]) -> None:
    engine.run(reader.read(given))


def decoded(given: list[File]) -> None:
    """The floor of an export, which is JSON: the standard library's decoder, written in C, which keeps no lines."""
    for file in given:
        json.loads(file.text)


def measured_here(what: str, folder: Path) -> dict[str, float]:
    given = [each for each in files.walk([folder]) if isinstance(each, File)]
    works: dict[str, Callable[[list[File]], None]] = {
        "parse": parsed, "usual": parsed_as_usual, "within": parsed_within, "scan": looked_for, "decode": decoded,
    }  # fmt: skip
    work = works[what]
    work(given)
    gc.collect()
    best = min(measure.processor_seconds(lambda: work(given)) for _ in range(RUNS))
    size = sum(len(each.text) for each in given) / 1024**2
    return {"seconds": best, "files": len(given), "size": size, "peak": measure.peak_mb()}


def measured(what: str, folder: Path) -> dict[str, float]:
    command = [sys.executable, __file__, what, str(folder)]
    return dict(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


def checkov(folder: Path) -> list[object] | None:
    beside = Path(__file__).resolve().parents[1] / ".venv-checkov" / "bin" / "checkov"
    command = str(beside) if beside.exists() else shutil.which("checkov")
    if command is None:
        return None
    arguments = [command, "--directory", str(folder), "--quiet", "--compact", "--soft-fail", "--output", "json"]
    try:
        took = measure.seconds(lambda: subprocess.run(arguments, check=False, capture_output=True, timeout=300))
    except subprocess.TimeoutExpired:
        return ["Checkov: given up after five minutes", "", "", 300.0, "", "", "", ""]
    return ["Checkov, by the clock", "", "", took, "", "", "", ""]


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        given = os.environ.get("PLATFORM_RISK_BENCH")
        folder = Path(given) if given else platforms.write(Path(place) / "platform", SERVICES)
        names = {
            "usual": "parsed as usual", "parse": "parsed by our own reader", "within": "and what is inside",
            "scan": "read and judged",
        }  # fmt: skip
        # In turns: whatever else the machine does meets each of them.
        told = [{what: measured(what, folder) for what in names} for _ in range(ROUNDS)]
        runs = {what: min((each[what] for each in told), key=lambda run: run["seconds"]) for what in names}
        floors = [runs[what]["seconds"] for what in ("usual", "parse", "within")]
        rows: list[list[object]] = []
        for what, run in runs.items():
            took = run["seconds"]
            ratios = [took / floor for floor in floors]
            rows.append([names[what], int(run["files"]), run["size"], took, *ratios, run["peak"]])
        beside = checkov(folder)
        if beside:
            rows.append(beside)
        headers = (
            "what",
            "files",
            "MB",
            "processor s",
            "of usual parsers",
            "of our own",
            "with what is inside",
            "peak MB",
        )
        measure.show(f"Scanning {'your files' if given else f'{SERVICES} services'}", headers, rows)
        if not given:
            _export(Path(place) / "cluster.json")


def _export(file: Path) -> None:
    platforms.write_export(file, EXPORTED)
    runs = {"json.loads": measured("decode", file), "read and judged": measured("scan", file)}
    rows: list[list[object]] = [
        [what, run["size"], run["seconds"], run["seconds"] / runs["json.loads"]["seconds"], run["peak"]]
        for what, run in runs.items()
    ]
    headers = ("what", "MB", "processor s", "of json.loads", "peak MB")
    measure.show(f"An export of {EXPORTED:,} workloads of a cluster", headers, rows)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(measured_here(sys.argv[1], Path(sys.argv[2]))))
    else:
        main()

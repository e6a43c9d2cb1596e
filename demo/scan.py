"""Runs Checkov over the sample platform and writes its reports into demo/scans: `make demo-scan`.

Two scans of each service: as it stands, and after a week's work (`AFTER`), for trying out what a newer report changes.
The copy that is scanned stands in a temporary folder; reports name it /src, so that they are the same everywhere.
Checkov runs its graph checks side by side and lists what they looked at out of sets, so its reports come in another
order every time: they are written in one of their own. Nothing is fetched, so a network in reach changes nothing.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
SERVICES = ("data-collector", "data-processor", "cell-router", "infrastructure")

# file → (before, after): what the week's work mends, and what it brings.
AFTER: dict[str, tuple[tuple[str, str], ...]] = {
    "data-processor/deployment.yaml": (
        ("      hostNetwork: true\n", ""),
        ("          securityContext:\n            privileged: true\n", ""),
        ("            requests: {cpu: 500m}\n", "            requests: {cpu: 500m, memory: 1Gi}\n"),
    ),
    "data-collector/deployment.yaml": (
        (
            "data-collector:latest\n",
            "data-collector:3.2.0\n          livenessProbe:\n            httpGet: {path: /live, port: 8443}\n",
        ),
    ),
    "cell-router/router.yaml": (("automountServiceAccountToken: false", "shareProcessNamespace: true"),),
    "infrastructure/database.tf": (
        ("  publicly_accessible = true\n", "  publicly_accessible = false\n  storage_encrypted   = true\n"),
    ),
    "infrastructure/observability.tf": (
        ('  name = "/platform/edge"\n', '  name              = "/platform/edge"\n  retention_in_days = 30\n'),
    ),
}


def scan(root: Path, service: str, out: Path) -> None:
    command = [
        *("checkov", "--directory", f"clean-platform/{service}", "--quiet", "--soft-fail", "--skip-download"),
        *("--output", "json", "--output", "sarif", "--output-file-path", str(out)),
    ]
    subprocess.run(command, cwd=root, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own arguments


def ordered(report: Any) -> Any:
    """The same report, Checkov's JSON or SARIF, in an order that is the same in every run."""
    for each in report if isinstance(report, list) else [report]:
        for run in each.get("runs", ()):
            _order_sarif(run)
        for found in each.get("results", {}).values():
            if isinstance(found, list):
                for check in found:
                    _order_keys(check)
                found.sort(key=lambda check: (check["check_id"], check["file_path"], _text(check)))
    return report


def _order_keys(check: dict[str, Any]) -> None:
    result = check.get("check_result") or {}
    if isinstance(result.get("evaluated_keys"), list):
        result["evaluated_keys"].sort()


def _order_sarif(run: dict[str, Any]) -> None:
    rules = run["tool"]["driver"]["rules"]
    rules.sort(key=lambda rule: rule["id"])
    number = {rule["id"]: index for index, rule in enumerate(rules)}
    for result in run["results"]:
        result["ruleIndex"] = number[result["ruleId"]]
    run["results"].sort(key=lambda result: (result["ruleIndex"], _text(result["locations"]), _text(result)))


def _text(node: Any) -> str:
    return json.dumps(node, sort_keys=True)


def main() -> int:
    target = HERE / "scans"
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary).resolve()
        shutil.copytree(HERE / "clean-platform", root / "clean-platform")
        for week in ("first", "newer"):
            if week == "newer":
                for name, changes in AFTER.items():
                    path = root / "clean-platform" / name
                    text = path.read_text(encoding="utf-8")
                    for before, after in changes:
                        assert before in text, f"{name} no longer holds {before!r}"
                        text = text.replace(before, after)
                    path.write_text(text, encoding="utf-8")
            for service in SERVICES:
                out = root / "out" / week / service
                scan(root, service, out)
                for made, suffix in (("results_json.json", "json"), ("results_sarif.sarif", "sarif")):
                    report = (out / made).read_text(encoding="utf-8").replace(str(root), "/src")
                    # Checkov joins a folder that it was given relatively to itself.
                    report = report.replace(
                        f"clean-platform/{service}/clean-platform/{service}", f"clean-platform/{service}"
                    )
                    folder = target / week
                    folder.mkdir(parents=True, exist_ok=True)
                    text = json.dumps(ordered(json.loads(report)))
                    (folder / f"{service}.{suffix}").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

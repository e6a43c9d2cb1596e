"""Opening reports in tests: bytes or a sample's name in, what was read out."""

import json
from pathlib import Path
from typing import Any

from findings.scans import registry
from findings.scans.options import Options
from findings.scans.records import Absent, FindingRecord, Reject, ReportInfo

SAMPLES = Path(__file__).resolve().parents[2] / "samples" / "scans"
DEMO = Path(__file__).resolve().parents[3] / "demo" / "scans"


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def read(
    format_name: str, data: bytes, options: Options | None = None
) -> tuple[ReportInfo, list[FindingRecord | Reject | Absent]]:
    report = registry.FORMATS[format_name].open(data, options or Options())
    return report.info, list(report.records())


def findings(format_name: str, data: bytes, options: Options | None = None) -> list[FindingRecord]:
    """The findings of a report that must hold nothing else."""
    records = read(format_name, data, options)[1]
    found = [record for record in records if isinstance(record, FindingRecord)]
    assert found == records
    return found


def log(*results: Any, rules: Any = (), **run: Any) -> bytes:
    """A SARIF log of one run; `run` holds further properties, and may replace the tool."""
    body = {"tool": {"driver": {"name": "Probe", "rules": list(rules)}}, "results": list(results), **run}
    return json.dumps({"version": "2.1.0", "runs": [body]}).encode()


def result(rule: str = "R1", uri: str = "app/main.py", line: int = 1, **fields: Any) -> dict[str, Any]:
    place = {"artifactLocation": {"uri": uri}, "region": {"startLine": line}}
    return {
        "ruleId": rule,
        "message": {"text": f"{rule} here"},
        "locations": [{"physicalLocation": place}],
        **fields,
    }


def check(rule: str = "CKV_K8S_16", **fields: Any) -> dict[str, Any]:
    """One of Checkov's failed checks."""
    return {
        "check_id": rule,
        "check_name": f"The name of {rule}",
        "repo_file_path": "/k8s/api.yaml",
        "file_line_range": [1, 20],
        "resource": "Deployment.default.api",
        "severity": None,
        **fields,
    }


def checkov(*failed: Any, skipped: Any = (), framework: str = "kubernetes", **fields: Any) -> bytes:
    results = {"failed_checks": list(failed), "skipped_checks": list(skipped)}
    return json.dumps(
        {"check_type": framework, "results": results, "summary": {"parsing_errors": 0}, **fields}
    ).encode()

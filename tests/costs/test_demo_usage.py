"""The usage files of the demo: made anew they are the same, and they fit the sample platform."""

import json
import runpy
from decimal import Decimal
from pathlib import Path

from costs.usage import registry
from costs.usage.records import Measure

DEMO = Path(__file__).resolve().parents[2] / "demo"
FOLDER = DEMO / "usage"


def test_the_generator_makes_the_very_files() -> None:
    usage = runpy.run_path(str(DEMO / "usage_files.py"))
    made = {
        "prometheus-status-tsdb.json": usage["prometheus"](),
        "mimirtool-prometheus-metrics.json": usage["mimirtool"](),
        "describe-log-groups.json": usage["log_groups"](),
        "incoming-bytes.json": usage["incoming_bytes"](),
    }
    for name, content in made.items():
        assert (FOLDER / name).read_text() == json.dumps(content, indent=1) + "\n", name
    assert (FOLDER / "pods.jsonl").read_text() == usage["pods"]()


def test_they_are_read_and_their_totals_fit_the_sample_platform() -> None:
    found = {path.name: registry.read(path.read_bytes()) for path in FOLDER.iterdir()}  # each is known by its content
    assert not [each.rejects for each in found.values() if each.rejects]
    series = [each for each in found["prometheus-status-tsdb.json"].records if each.measure is Measure.ACTIVE_SERIES]
    assert [each.value for each in series] == [50 * 100 * 3]
    new = [each for each in found["pods.jsonl"].records if each.measure is Measure.ENTITIES_NEW]
    assert [each.value for each in new] == [100]
    kept = {each.subject: each.value for each in found["describe-log-groups.json"].records
            if each.measure is Measure.RETENTION_DAYS}  # fmt: skip
    assert kept == {"/clean-platform/ingest": None, "/clean-platform/edge": None, "/clean-platform/audit": 365}
    incoming = sum((each.value or Decimal(0) for each in found["incoming-bytes.json"].records), Decimal(0))
    assert abs(incoming / 30 / 2**30 - 13) < Decimal("0.5")

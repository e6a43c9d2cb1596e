"""Whose volumes a schedule of Velero copies, and how."""

import pytest

from findings.platform import velero
from findings.platform.velero import Copies
from tests.findings.checks import reading

SCHEDULE = """
apiVersion: velero.io/v1
kind: Schedule
metadata: {{name: nightly, namespace: velero}}
spec: {{schedule: "0 3 * * *", template: {template}}}
"""
SERVER = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: velero, namespace: velero}}
spec: {{template: {{spec: {{containers: [{{name: velero, image: "velero/velero:v1.15.0", args: {args}}}]}}}}}}
"""


def copies(template: str, **files: str) -> Copies:
    (schedule,) = velero.schedules(reading.platform(a_yaml=SCHEDULE.format(template=template), **files))
    return schedule.copies


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{}", Copies.SNAPSHOTS),
        ("{snapshotVolumes: true}", Copies.SNAPSHOTS),
        ("{snapshotVolumes: false, defaultVolumesToFsBackup: true}", Copies.FILES),
        ("{snapshotVolumes: false, defaultVolumesToRestic: true}", Copies.FILES),
        ("{snapshotVolumes: false, defaultVolumesToFsBackup: false}", Copies.NONE),
        ("{snapshotVolumes: false}", Copies.UNKNOWN),
        ("{snapshotVolumes: false, defaultVolumesToFsBackup: false, snapshotMoveData: true}", Copies.UNKNOWN),
        ("{snapshotVolumes: false, resourcePolicy: {kind: configmap, name: volumes}}", Copies.UNKNOWN),
    ],
)
def test_a_schedule_copies_volumes_as_its_template_says(template: str, expected: Copies) -> None:
    assert copies(template) is expected


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ("[server]", Copies.NONE),
        ("[server, --default-volumes-to-fs-backup]", Copies.FILES),
        ("[server, --default-volumes-to-fs-backup=false]", Copies.NONE),
    ],
)
def test_where_a_template_says_nothing_the_server_does(args: str, expected: Copies) -> None:
    assert copies("{snapshotVolumes: false}", b_yaml=SERVER.format(args=args)) is expected


def test_the_charts_values_say_it_too() -> None:
    values = "configuration: {defaultVolumesToFsBackup: true}\n"
    assert copies("{snapshotVolumes: false}", values_yaml=values) is Copies.FILES


LOCATIONS = """
apiVersion: velero.io/v1
kind: BackupStorageLocation
metadata: {{name: default, namespace: velero}}
spec: {{config: {{region: {}}}}}
---
apiVersion: velero.io/v1
kind: VolumeSnapshotLocation
metadata: {{name: default, namespace: velero}}
spec: {{config: {{region: eu-central-1}}}}
"""


@pytest.mark.parametrize(
    ("template", "region", "expected"),
    [
        ("{}", "eu-west-1", 1),  # a snapshot stays where its volume is
        ("{snapshotMoveData: true}", "eu-west-1", 2),
        ("{snapshotMoveData: true}", "eu-central-1", 1),
        ("{defaultVolumesToFsBackup: true}", "eu-west-1", 2),
        ("{defaultVolumesToFsBackup: true}", "null", None),
        ("{snapshotVolumes: false, defaultVolumesToFsBackup: false}", "eu-west-1", None),
    ],
)
def test_only_what_leaves_the_volumes_region_is_in_a_second_one(
    template: str, region: str, expected: int | None
) -> None:
    platform = reading.platform(a_yaml=SCHEDULE.format(template=template), b_yaml=LOCATIONS.format(region))
    (schedule,) = velero.schedules(platform)
    assert velero.regions(platform, schedule) == expected

"""Files that come in another order make the same platform, and of several files of facts one counts."""

import itertools

from findings.checks import engine
from findings.platform import reader
from findings.platform.files import File

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: api}}
spec:
  replicas: {replicas}
  template:
    spec:
      containers:
        - name: api
          image: registry.example/api:1
          resources: {{limits: {{cpu: 200m}}}}
"""
FILES = [
    File("a/api.yaml", DEPLOYMENT.format(replicas=2)),
    File("b/api.yaml", DEPLOYMENT.format(replicas=3)),
    File("c/cells.yaml", "cells: [{name: a, weight: 60}, {name: b, weight: 40}]\nretries: {max: 2}\n"),
    File("d/cells.yaml", "retries: {max: 5}\n"),
    File("platform-risk.yaml", "routing: {cell_error_percent: 10}\n"),
    File("d/platform-risk.yaml", "routing: {cell_error_percent: 20}\n"),
]


def test_findings_are_the_same_in_any_order_of_files() -> None:
    told = set()
    for order in itertools.permutations(FILES):
        found = engine.run(reader.read(order)).found
        told.add(tuple((each.fingerprint, each.fail.title, each.fail.quantities) for each in found))
    assert len(told) == 1
    assert told.pop()


def test_the_facts_nearest_to_the_top_count_and_the_others_are_named() -> None:
    for order in (FILES, FILES[::-1]):
        platform = reader.read(order)
        assert platform.facts.path == "platform-risk.yaml"
        assert [(each.path, each.reason) for each in platform.skipped] == [
            ("d/platform-risk.yaml", "the facts are those of platform-risk.yaml")
        ]
        assert "d/platform-risk.yaml" not in platform.files_read


def test_facts_that_are_given_win_over_those_beside_the_files() -> None:
    platform = reader.read(FILES, File("given.yaml", "routing: {cell_error_percent: 30}\n"))
    stated = platform.facts.number("routing.cell_error_percent")
    assert stated is not None
    assert (stated.value, stated.place.path) == (30, "given.yaml")

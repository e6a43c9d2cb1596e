"""Files that come in another order make the same platform, and of several files of facts one counts."""

import gc
import itertools
import weakref

import pytest

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


_LOCALS = """locals {
  name = "orders-${terraform.workspace}"
}
module "alarm" {
  source = "./alarm"
  name   = "errors-${module.log_group.name}"
  other  = local.name
}
"""


def test_what_was_read_is_freed_with_the_last_reference_to_it() -> None:
    """Expressions that cannot be told are kept as reasons, not as errors: those hold on to everything."""
    gc.collect()
    gc.disable()
    try:
        platform = reader.read([File("main.tf", _LOCALS)])
        outcome = engine.run(platform)
        alive = weakref.ref(platform)
        del platform, outcome
        assert alive() is None
    finally:
        gc.enable()


def test_after_much_was_read_the_collector_runs_and_finds_nothing_new_to_walk_through(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("findings.platform.uncollected._MUCH", 0)
    gc.unfreeze()
    gc.collect()
    platform = reader.read([File("main.tf", _LOCALS)])
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
    assert gc.get_count()[0] < 100
    assert platform.blocks


def test_what_a_server_has_set_aside_stays_set_aside_during_a_scan() -> None:
    gc.freeze()
    try:
        before = gc.get_freeze_count()
        reader.read([File("main.tf", _LOCALS)])
        # What is freed meanwhile leaves it.
        assert 0 < gc.get_freeze_count() <= before
    finally:
        gc.unfreeze()

"""Celery's side of imports: a task carries an id and nothing else, and may run twice."""

from celery import shared_task

from platform_risk.core.imports import runner, services


@shared_task(name="core.run_import")
def run_import(import_id: int) -> None:
    runner.run(import_id)


@shared_task(name="core.undo_import")
def undo_import(import_id: int) -> None:
    services.carry_out_undo(import_id)


@shared_task(name="core.sweep_imports")
def sweep_imports() -> int:
    """Enqueues again what nobody works on; claiming sorts out what was enqueued twice."""
    left = runner.unfinished()
    for import_id in left:
        run_import.delay(import_id)
    for import_id in services.undos_left():
        undo_import.delay(import_id)
    return len(left)

from django.apps import AppConfig

from findings.platform import facts
from platform_risk.core.catalog import hooks
from platform_risk.core.facts import known
from platform_risk.core.imports import loaders


class FindingsConfig(AppConfig):
    name = "findings"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Imported here: both need the models, which exist only now.
        from findings import estimating, load, tasks

        known.register(facts.problem)
        loaders.register("scan", load=load.load_scan, undo=load.undo_scan)
        loaders.register("platform", load=tasks.load_platform, undo=tasks.undo_platform)
        hooks.on_ownership_change(tasks.enqueue_reassignment)
        hooks.on_default_branch_change(tasks.enqueue_default_branch)
        hooks.on_facts_change(estimating.follow_service)

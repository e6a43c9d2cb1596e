from django.apps import AppConfig

from platform_risk.core.catalog import hooks
from platform_risk.core.imports import loaders


class CostsConfig(AppConfig):
    name = "costs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Imported here: they need the models, which exist only now.
        from costs import load, tasks, usage_load

        loaders.register("bill", load=tasks.load_bill, undo=tasks.undo_bill, is_last=load.is_last)
        loaders.register("usage", load=usage_load.load_usage, undo=usage_load.undo_usage, is_last=usage_load.is_last)
        hooks.on_ownership_change(tasks.enqueue_reallocation)

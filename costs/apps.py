from django.apps import AppConfig

from platform_risk.core.catalog import hooks
from platform_risk.core.imports import loaders


class CostsConfig(AppConfig):
    name = "costs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Imported here: both need the models, which exist only now.
        from costs import load, tasks

        loaders.register("bill", load=load.load_bill, undo=load.undo_bill, is_last=load.is_last)
        hooks.on_ownership_change(tasks.enqueue_reallocation)

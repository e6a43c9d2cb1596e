from django.apps import AppConfig

from platform_risk.core.imports import loaders


class FindingsConfig(AppConfig):
    name = "findings"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Imported here: the loader needs the models, which exist only now.
        from findings import load

        loaders.register("scan", load=load.load_scan, undo=load.undo_scan)

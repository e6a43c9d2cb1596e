from django.apps import AppConfig


class PlanningConfig(AppConfig):
    name = "planning"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Imported here: both need the models, which exist only now.
        from findings import selectors
        from planning import remedies

        selectors.on_remedies(remedies.checks_closed)

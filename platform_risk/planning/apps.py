from django.apps import AppConfig


class PlanningConfig(AppConfig):
    name = "platform_risk.planning"
    label = "planning"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Imported here: both need the models, which exist only now.
        from findings import selectors
        from platform_risk.planning import remedies

        selectors.on_remedies(remedies.checks_closed)

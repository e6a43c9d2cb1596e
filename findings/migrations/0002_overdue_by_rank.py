from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0001_tables"),
        ("findings", "0001_tables"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="finding",
            name="finding_overdue",
        ),
        migrations.AddIndex(
            model_name="finding",
            index=models.Index(
                condition=models.Q(("status__in", ["new", "triaged", "in_progress"])),
                fields=["due_on"],
                include=("service", "team", "is_default_branch", "withdrawn_by", "rank", "id"),
                name="finding_overdue",
            ),
        ),
    ]

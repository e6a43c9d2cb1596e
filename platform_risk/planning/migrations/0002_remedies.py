"""The list of remedies that comes along, as rows that people change from then on."""

import csv
from importlib.resources import files

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

LIST = files("findings.checks").joinpath("data/remedies.tsv")


def add(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    remedy = apps.get_model("planning", "Remedy")
    with LIST.open(encoding="utf-8", newline="") as file:
        rows = [
            remedy(
                slug=row["id"],
                title=row["title"],
                how=row["how"] or "",
                lane=row["lane"],
                effort_days=row["effort_days"],
                checks=row["fixes_checks"].split(","),
            )
            for row in csv.DictReader(file, delimiter="\t")
        ]
    remedy.objects.bulk_create(rows, ignore_conflicts=True)


class Migration(migrations.Migration):
    dependencies = [("planning", "0001_initial")]

    operations = [migrations.RunPython(add, migrations.RunPython.noop)]

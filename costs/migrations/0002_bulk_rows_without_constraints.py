import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("costs", "0001_tables"),
    ]

    operations = [
        migrations.AlterField(
            model_name="chargeday",
            name="key",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="costs.chargekey",
            ),
        ),
        migrations.AlterField(
            model_name="chargeday",
            name="version",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="days",
                to="costs.billversion",
            ),
        ),
        migrations.AlterField(
            model_name="resourcemonth",
            name="key",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="costs.chargekey",
            ),
        ),
        migrations.AlterField(
            model_name="resourcemonth",
            name="version",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="resources",
                to="costs.billversion",
            ),
        ),
    ]

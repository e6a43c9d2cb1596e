"""Benchmarks: each script prints one aligned table. `make bench`, or `make bench BENCH=bench/bench_load.py`.

Importing this package sets Django up, so it comes before whatever has models.
"""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "platform_risk.settings")
django.setup()

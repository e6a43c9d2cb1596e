"""Enumerations of costs as plain lists: the schema names its enums by them (ENUM_NAME_OVERRIDES)."""

from costs.models import SharedCost
from platform_risk.quantities.pricing import Confidence, PriceUnit

PRICE_UNITS = [unit.value for unit in PriceUnit]
CONFIDENCES = [each.value for each in Confidence]
GIGABYTES = ["GB", "GiB"]
VECTORS = ["metrics", "entities", "logs"]
SHARED_KINDS = list(SharedCost.Kind.values)
SPLITS = list(SharedCost.Split.values)

"""How many connections Azure's flexible servers take untold, by their size. PURE.

Sources: Azure Database for MySQL, server parameters: max_connections; Azure Database for PostgreSQL, limits: maximum
connections. Both by compute tier and size; what is in neither table is not known here.
"""

import re

# sku_name of Terraform: B_Standard_B1ms, GP_Standard_D2ds_v4, MO_Standard_E4ads_v5.
_SKU = re.compile(r"(?:B_Standard_(?P<burstable>B\d+m?s)|(?P<tier>GP_Standard_D|MO_Standard_E)(?P<cores>\d+)\w*)\Z")
_BURSTABLE = {
    "mysql": {"B1s": 85, "B1ms": 171, "B2s": 341, "B2ms": 683, "B4ms": 1365, "B8ms": 2731, "B12ms": 4097,
              "B16ms": 5461, "B20ms": 6827},
    "postgresql": {"B1ms": 50, "B2s": 429, "B2ms": 859, "B4ms": 1718, "B8ms": 3437, "B12ms": 5000, "B16ms": 5000,
                   "B20ms": 5000},
}  # fmt: skip
# By tier and cores: D has 4 GiB for each, E 8.
_BY_CORES = {
    ("mysql", "GP"): {2: 683, 4: 1365, 8: 2731, 16: 5461, 32: 10923, 48: 16384, 64: 21845},
    ("mysql", "MO"): {2: 1365, 4: 2731, 8: 5461, 16: 10923, 20: 13653, 32: 21845, 48: 32768, 64: 43008},
    ("postgresql", "GP"): {2: 859, 4: 1718, 8: 3437} | dict.fromkeys((16, 32, 48, 64, 96), 5000),
    ("postgresql", "MO"): {2: 1718, 4: 3437} | dict.fromkeys((8, 16, 20, 32, 48, 64, 96), 5000),
}


def default_max_connections(engine: str, sku_name: str) -> int | None:
    """Of mysql or postgresql; None for a size that is in no table."""
    found = _SKU.match(sku_name)
    if found is None:
        return None
    if found["burstable"]:
        return _BURSTABLE[engine].get(found["burstable"])
    return _BY_CORES[engine, found["tier"][:2]].get(int(found["cores"]))

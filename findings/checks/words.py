"""Numbers with what they count, in words. PURE."""


def counted(count: float, noun: str) -> str:
    """1 pod, 2 pods, 1,500 pods; `noun` is the plural."""
    return f"{count:,.15g} {singular(noun) if count == 1 else noun}"


def singular(unit: str) -> str:
    """Of a unit in the plural, up to its "per": processes per pod → process per pod. Symbols (ms, rps) stay."""
    head, per, rest = unit.partition(" per ")
    if len(head) <= _SYMBOL or head.endswith("series") or not head.endswith("s") or not head[-2:].isalpha():
        return unit
    if head.endswith("ies"):
        return f"{head[:-3]}y{per}{rest}"
    return f"{head[:-2] if head.endswith(('sses', 'xes')) else head[:-1]}{per}{rest}"


_SYMBOL = 3  # letters of the longest symbol that ends in s

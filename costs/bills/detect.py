"""Which format a bill has, from its beginning and never from its name. PURE."""

from costs.bills import registry
from costs.bills.records import BillError, Head

_ENOUGH = 0.5


def likeliest(head: Head) -> tuple[str, float, str]:
    """(format, how sure, why); how sure is 0 when it is none."""
    name, match = max(
        ((name, format_.sniff(head)) for name, format_ in registry.FORMATS.items()), key=lambda pair: pair[1].confidence
    )
    return name, match.confidence, match.reason


def of(head: Head, requested: str, entry: str) -> tuple[str, str]:
    """(format, why). Raises BillError unknown_format that names what the likeliest ones miss."""
    if requested:
        if requested not in registry.FORMATS:
            raise BillError(
                "unknown_format", f"There is no format {requested} of bills.", entry=entry,
                remedy=f"One of: {', '.join(sorted(registry.FORMATS))}.",
            )  # fmt: skip
        return requested, "Named by whoever sent it."
    name, confidence, reason = likeliest(head)
    if confidence >= _ENOUGH:
        return name, f"{reason} ({100 * confidence:.0f} % sure)"
    able = [each for each in registry.FORMATS.values() if (each.rows if head.kind == "json" else each.meaning)]
    ranked = sorted(able, key=lambda each: -each.sniff(head).confidence)
    candidates = "; ".join(f"{each.title}: {each.sniff(head).missing}" for each in ranked[:2])
    if head.kind == "csv" and len(head.headers) > 1:
        raise BillError(
            "mapping_needed", f"This is no bill that is known here. Likeliest: {candidates}.", line=1, entry=entry,
            remedy="If it is a list of charges, say which column means what: on its page, or by API at columns/.",
            headers=list(head.headers),
        )  # fmt: skip
    first = "".join(filter(str.isprintable, head.headers[0]))[:60] if head.headers else ""
    is_text = first and head.kind == "csv"  # of Parquet these are its columns beyond doubt
    reads = f": its first line, “{first}”, is no header of columns" if is_text else ""
    if head.kind == "parquet":
        named = ", ".join(head.headers[:5]) + (" …" if len(head.headers) > 5 else "")
        reads = f" by its columns, {named[:200]}"
    remedy = "Send FOCUS, an AWS, Azure or Google Cloud export, OpenCost, or a list of charges as CSV."
    if is_text:
        remedy += " Lines above the header have to be taken out, and columns divided by comma, semicolon, tab or pipe."
    if entry:
        remedy += f" If {entry[:200]} is no part of the bill, take it out of the archive."
    raise BillError(
        "unknown_format", f"This is no bill that is known here{reads}. Likeliest: {candidates}.", remedy=remedy,
        entry=entry, byte=0,
    )  # fmt: skip

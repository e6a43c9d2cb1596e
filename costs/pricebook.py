"""Price books as YAML: what the product brings along, and what people take out and put in. PURE."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import yaml

from platform_risk.quantities.pricing import (
    GIBIBYTE,
    GIGABYTE,
    BadPriceError,
    Confidence,
    Price,
    PriceUnit,
    Rate,
    Tier,
)

FOLDER = Path(__file__).resolve().parent / "books"
MOST_BYTES, MOST_PRICES = 1_000_000, 2_000
_FIELDS = {
    "item", "provider", "unit", "amount", "currency", "free", "tiers", "gb", "valid_from", "valid_to", "source",
    "source_date", "confidence", "applies", "note",
}  # fmt: skip
_GIGABYTES = {"GB": GIGABYTE, "GiB": GIBIBYTE}
_LENGTHS = {"item": 200, "provider": 80, "source": 500, "source_date": 40, "note": 1000}


class BookError(ValueError):
    """What is wrong with a book, where, and what it should be."""


@dataclass(frozen=True)
class Book:
    slug: str
    name: str
    version: int
    rates: tuple[Rate, ...]


def built_in() -> list[Book]:
    """The books that the product brings along."""
    return [parse(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.yaml"))]


def parse(text: str) -> Book:
    """Raises BookError with the line or the number of the price."""
    if len(text) > MOST_BYTES:
        raise BookError(f"A price book has at most {MOST_BYTES:,} characters.")
    try:
        root = _safe(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"Line {mark.line + 1}: " if mark else ""
        raise BookError(f"{place}this is no YAML ({getattr(error, 'problem', None) or 'cannot be read'}).") from error
    except RecursionError as error:
        raise BookError("This is nested too deeply for a price book.") from error
    prices = root.get("prices") if isinstance(root, dict) else None
    if not isinstance(root, dict) or not isinstance(prices, list):
        raise BookError("A price book is a mapping with book, name and a list of prices.")
    if len(prices) > MOST_PRICES:
        raise BookError(f"A price book has at most {MOST_PRICES:,} prices.")
    slug = _text(root.get("book", "own"), "book", 40)
    rates = tuple(_rate(entry, number, slug) for number, entry in enumerate(prices, start=1))
    names = [(rate.item, rate.valid_from) for rate in rates]
    twice = next((item for item, since in names if names.count((item, since)) > 1), None)
    if twice is not None:
        raise BookError(f"“{twice}” is there twice from the same day on.")
    version = root.get("version", 1)
    return Book(slug, _text(root.get("name", slug), "name", 200), version if isinstance(version, int) else 1, rates)


def dump(book: Book) -> str:
    """As `parse` reads it, with every amount as text, so that nothing rounds it."""
    body = {"book": book.slug, "name": book.name, "version": book.version,
            "prices": [_entry(rate) for rate in book.rates]}  # fmt: skip
    return yaml.safe_dump(body, sort_keys=False, allow_unicode=True, width=120)


class _NoAliases(yaml.SafeLoader):
    """An alias can make a small text a huge tree; a price book needs none."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            event: Any = self.peek_event()  # type: ignore[no-untyped-call]  # PyYAML has types for half of itself
            raise yaml.composer.ComposerError(None, None, "aliases are not taken here", event.start_mark)
        return super().compose_node(parent, index)

    def construct_object(self, node: Any, *deep: Any, **named: Any) -> Any:
        """What looks like a day or a number and is none is said with its line, as all else that is wrong."""
        try:
            return super().construct_object(node, *deep, **named)
        except (ValueError, TypeError, AttributeError, ArithmeticError) as error:
            said = f"“{str(node.value)[:40]}” is no {node.tag.rpartition(':')[2]}"
            raise yaml.constructor.ConstructorError(None, None, said, node.start_mark) from error


def _safe(text: str) -> Any:
    return yaml.load(text, Loader=_NoAliases)  # noqa: S506 - a SafeLoader that takes even less


def _rate(entry: Any, number: int, book: str) -> Rate:
    if not isinstance(entry, dict):
        raise BookError(f"Price {number} is no mapping.")
    unknown = sorted(str(name) for name in entry if name not in _FIELDS)
    if unknown:
        raise BookError(f"Price {number}: there is no field {unknown[0]}. Known: {', '.join(sorted(_FIELDS))}.")
    try:
        return _built(entry, book)
    except (BookError, BadPriceError, ValueError) as error:
        raise BookError(f"Price {number} ({entry.get('item', 'without a name')}): {error}") from error


def _built(entry: Mapping[str, Any], book: str) -> Rate:
    texts = {name: _text(entry.get(name, ""), name, most) for name, most in _LENGTHS.items()}
    if not texts["item"]:
        raise BookError("item says what it is a price of.")
    since, until = _day(entry.get("valid_from"), "valid_from"), _day(entry.get("valid_to"), "valid_to")
    if since and until and until <= since:
        raise BookError("valid_to is after valid_from.")
    confidence = Confidence(_one_of(entry.get("confidence", "high"), "confidence", list(Confidence)))
    applies = entry.get("applies", confidence is Confidence.HIGH)
    if not isinstance(applies, bool):
        raise BookError("applies is true or false.")
    return Rate(
        price=_price(entry), valid_from=since, valid_to=until, confidence=confidence, applies=applies, book=book,
        **texts,
    )  # fmt: skip


def _price(entry: Mapping[str, Any]) -> Price:
    tiers = entry.get("tiers") or []
    if not isinstance(tiers, list) or not all(isinstance(each, dict) for each in tiers) or len(tiers) > 20:
        raise BookError("tiers is a list of {up_to, amount}, twenty at most.")
    made = tuple(Tier(_bound(each.get("up_to")), _number(each.get("amount"), "amount")) for each in tiers)
    currency = _text(entry.get("currency", "USD"), "currency", 3)
    if len(currency) != 3 or not currency.isascii() or not currency.isupper():
        raise BookError("currency is three capital letters, as USD.")
    return Price(
        amount=made[0].amount if made and entry.get("amount") is None else _number(entry.get("amount"), "amount"),
        unit=PriceUnit(_one_of(entry.get("unit"), "unit", list(PriceUnit))),
        currency=currency,
        free=_number(entry.get("free", "0"), "free"),
        tiers=made,
        gb_bytes=_GIGABYTES[_one_of(entry.get("gb", "GB"), "gb", list(_GIGABYTES))],
    )


def _bound(value: Any) -> Decimal | None:
    return None if value is None else _number(value, "up_to")


def _text(value: Any, name: str, most: int) -> str:
    text = "" if value is None else str(value)
    if len(text) > most or not (text.isprintable() or name == "note"):
        raise BookError(f"{name} is at most {most} printable characters.")
    return text.strip()


def _one_of(value: Any, name: str, allowed: Iterable[str]) -> str:
    options = [str(each) for each in allowed]
    if value not in options:
        raise BookError(f"{name} is one of {', '.join(options)}.")
    return str(value)


def _number(value: Any, name: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BookError(f"{name} is a number, best in quotes.")
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise BookError(f"{name} is a number, not “{str(value)[:40]}”.") from error
    if not number.is_finite() or not 0 <= number <= 10**12 or number != number.quantize(Decimal("1e-12")):
        raise BookError(f"{name} is a number from 0 to 10^12 with twelve decimals at most.")
    return number


def _day(value: Any, name: str) -> date | None:
    if value is None or type(value) is date:
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        raise BookError(f"{name} is a day, as 2026-05-01.") from error


def _plain(amount: Decimal) -> str:
    return format(amount.normalize(), "f")


def _entry(rate: Rate) -> dict[str, Any]:
    price = rate.price
    entry: dict[str, Any] = {
        "item": rate.item, "provider": rate.provider, "unit": price.unit.value, "amount": _plain(price.amount),
        "currency": price.currency,
    }  # fmt: skip
    if price.free:
        entry["free"] = _plain(price.free)
    if price.tiers:
        entry["tiers"] = [
            {"up_to": None if tier.up_to is None else _plain(tier.up_to), "amount": _plain(tier.amount)}
            for tier in price.tiers
        ]
    if price.gb_bytes == GIBIBYTE:
        entry["gb"] = "GiB"
    for name in ("valid_from", "valid_to"):
        if getattr(rate, name) is not None:
            entry[name] = getattr(rate, name)
    for name in ("source", "source_date", "note"):
        if getattr(rate, name):
            entry[name] = getattr(rate, name)
    return entry | {"confidence": rate.confidence.value, "applies": rate.applies}

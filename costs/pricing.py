"""Prices: every read and every write. Everyone who signs in sees them; managers of a team change them."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from costs import pricebook
from costs.models import PriceBook, PriceRate
from costs.pricebook import Book, BookError
from platform_risk.core import changing
from platform_risk.core.access.audit import record
from platform_risk.core.errors import Refused
from platform_risk.core.models import User
from platform_risk.quantities.pricing import PriceUnit, Rate, applying

OWN = "own"  # the book of an installation's own prices, taken before all others
ORDER = ("book__slug", "provider", "item", "id")


def rates() -> QuerySet[PriceRate]:
    return PriceRate.objects.select_related("book")


def of_units(units: Sequence[PriceUnit], day: date | None = None) -> list[PriceRate]:
    """Those that hold on a day and could be applied, one's own first and then by what they rest on."""
    on = day or timezone.now().date()
    order = {"high": 0, "medium": 1, "low": 2}
    found = [each for each in rates().filter(unit__in=units) if each.rate.holds_on(on)]
    return sorted(found, key=lambda each: (each.book.slug != OWN, order[each.confidence], each.item))


def applying_to(units: Sequence[PriceUnit], provider: str, day: date | None = None) -> Rate | None:
    """The rate that holds when nobody chooses one: an installation's own before those of other books."""
    row = row_applying_to(units, provider, day)
    return row.rate if row is not None else None


def row_applying_to(units: Sequence[PriceUnit], provider: str, day: date | None = None) -> PriceRate | None:
    on = day or timezone.now().date()
    found = [(row.rate, row) for row in rates().filter(unit__in=units, provider=provider, applies=True)]
    own = [rate for rate, _ in found if rate.book == OWN]
    taken = applying(own, units, on, provider) or applying([rate for rate, _ in found], units, on, provider)
    return next((row for rate, row in found if rate is taken), None)


def may_change(user: User) -> bool:
    return user.sees_unowned  # administrators, and managers of any team


def _check(user: User) -> None:
    if not may_change(user):
        raise PermissionDenied("Changing prices takes the role manager in a team: they hold for everyone.")


@transaction.atomic
def create(*, user: User, book: str = OWN, reason: str = "", **fields: Any) -> PriceRate:
    _check(user)
    made = PriceRate(book=_book(book), **_with_tiers(fields))
    changing.save(made)
    record(user, "created", "price", made.pk, made.item, reason=reason)
    return made


@transaction.atomic
def change(rate: PriceRate, *, user: User, reason: str = "", **fields: Any) -> PriceRate:
    _check(user)
    rate = PriceRate.objects.select_for_update().get(pk=rate.pk)
    if "book" in fields:
        fields["book"] = _book(fields["book"])
    if "amount" in fields and rate.tiers and "tiers" not in fields:
        fields["tiers"] = [{**rate.tiers[0], "amount": format(fields["amount"], "f")}, *rate.tiers[1:]]
    changes = changing.set_fields(rate, _with_tiers(fields))
    if changes:
        PriceRate.objects.filter(pk=rate.pk).update(updated_at=timezone.now())
        record(user, "changed", "price", rate.pk, rate.item, changes=changes, reason=reason)
    return rate


@transaction.atomic
def delete(rate: PriceRate, *, user: User, reason: str = "") -> None:
    _check(user)
    pk, item = rate.pk, rate.item
    changing.delete(rate, "Something refers to this price.")
    record(user, "deleted", "price", pk, item, reason=reason)


@transaction.atomic
def put_book(text: str, *, user: User, named: str = "") -> tuple[Book, int]:
    """Replaces a book by what a YAML text says; every other book stays. Raises Refused with the place, and where the
    text is of another book than the one `named`."""
    _check(user)
    try:
        book = pricebook.parse(text)
    except BookError as error:
        raise Refused(str(error), field="yaml") from error
    if named not in ("", book.slug):
        raise Refused(f"The text is of the book {book.slug}, and not of {named[:40]}.", field="yaml")
    row = _book(book.slug, book.name)
    before = row.rates.count()
    _fill(row, book)
    record(user, "changed", "price_book", row.pk, row.slug, changes={"prices": [before, len(book.rates)]})
    return book, before


def book_as_yaml(slug: str) -> str | None:
    """None where there is no such book."""
    row = PriceBook.objects.filter(slug=slug).first()
    if row is None:
        return None
    found = tuple(each.rate for each in row.rates.select_related("book").order_by("id"))
    return pricebook.dump(Book(row.slug, row.name, row.version, found))


@transaction.atomic
def fill_built_in() -> int:
    """The product's own books, once for each version of them: what people change or delete stays so."""
    filled = 0
    for book in pricebook.built_in():
        row, made = PriceBook.objects.select_for_update().get_or_create(
            slug=book.slug, defaults={"name": book.name, "version": book.version}
        )
        if made:
            _fill(row, book)
            filled += 1
        elif row.version < book.version:
            _add_new(row, book)
            PriceBook.objects.filter(pk=row.pk).update(version=book.version)
            filled += 1
    return filled


def _fill(row: PriceBook, book: Book) -> None:
    row.rates.all().delete()
    made = [_row(row, rate) for rate in book.rates]
    for each in made:
        try:
            each.full_clean(exclude=["book"], validate_unique=False, validate_constraints=False)
        except ValidationError as error:
            field, messages = next(iter(error.message_dict.items()))
            raise Refused(f"“{each.item}”, {field}: {' '.join(messages)}", field="yaml") from error
    PriceRate.objects.bulk_create(made)


def _add_new(row: PriceBook, book: Book) -> None:
    known = set(row.rates.values_list("item", "valid_from"))
    PriceRate.objects.bulk_create(
        _row(row, rate) for rate in book.rates if (rate.item, rate.valid_from) not in known
    )  # fmt: skip


def _row(row: PriceBook, rate: Rate) -> PriceRate:
    price = rate.price
    return PriceRate(
        book=row, item=rate.item, provider=rate.provider, unit=price.unit.value, amount=price.amount,
        currency=price.currency, free=price.free, gb_bytes=price.gb_bytes, valid_from=rate.valid_from,
        valid_to=rate.valid_to, source=rate.source, source_date=rate.source_date, confidence=rate.confidence.value,
        applies=rate.applies, note=rate.note,
        tiers=[
            {"up_to": None if tier.up_to is None else format(tier.up_to, "f"), "amount": format(tier.amount, "f")}
            for tier in price.tiers
        ],
    )  # fmt: skip


def _book(slug: str, name: str = "") -> PriceBook:
    found = PriceBook.objects.filter(slug=slug).first()
    if found is None:
        found = PriceBook(slug=slug, name=name or ("Our own prices" if slug == OWN else slug))
        changing.save(found)
    return found


def _with_tiers(fields: dict[str, Any]) -> dict[str, Any]:
    """Tiers as JSON keeps them; with tiers the amount is the first one's."""
    if fields.get("tiers"):
        tiers = [
            {name: None if value is None else format(Decimal(value).normalize(), "f") for name, value in each.items()}
            for each in fields["tiers"]
        ]
        return fields | {"tiers": tiers, "amount": Decimal(str(tiers[0]["amount"]))}
    return fields

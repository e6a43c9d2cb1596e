"""Price books as YAML: what comes along, what goes out and in again, and what is refused."""

from datetime import date
from decimal import Decimal as D

import pytest

from costs import pricebook
from costs.pricebook import BookError
from platform_risk.quantities.pricing import GIBIBYTE, Confidence, PriceUnit, applying

ONE = "{item: a, unit: per_gb_month, amount: 1}"
NOW = date(2026, 11, 1)


def test_the_books_that_come_along_apply_only_what_is_sure() -> None:
    books = {book.slug: book for book in pricebook.built_in()}
    assert set(books) == {"list", "analysis"}
    sure = {rate.item for rate in books["list"].rates if rate.applies}
    assert sure == {rate.item for rate in books["list"].rates if rate.confidence is Confidence.HIGH}
    assert all(rate.source for book in books.values() for rate in book.rates)
    ingest = applying(books["list"].rates, (PriceUnit.PER_GB_INGESTED,), NOW, "aws-cloudwatch-logs")
    assert ingest is not None
    assert (ingest.price.amount, ingest.price.gb_bytes) == (D("0.50"), GIBIBYTE)
    assert applying(books["list"].rates, (PriceUnit.PER_GB_INGESTED,), NOW, "newrelic") is None
    analysis = {rate.price.unit: rate.price.amount for rate in books["analysis"].rates}
    assert analysis[PriceUnit.PER_MILLION_POINTS] == D("0.30")
    assert analysis[PriceUnit.PER_GB_ONCE] == analysis[PriceUnit.PER_GB_MONTH] == D("0.03")


def test_a_book_goes_out_and_in_again_unchanged() -> None:
    for book in pricebook.built_in():
        assert pricebook.parse(pricebook.dump(book)) == book
    tiers = "{up_to: '2000.5', amount: '0.09'}, {up_to: null, amount: '0.035'}"
    tiered = f"book: own\nprices: [{{item: a, unit: per_million_points, tiers: [{tiers}], free: '40', gb: GiB}}]"
    book = pricebook.parse(tiered)
    assert book.rates[0].price.amount == D("0.09")
    assert pricebook.parse(pricebook.dump(book)) == book


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("prices: [", "Line 1: this is no YAML"),
        ("- a", "A price book is a mapping"),
        ("prices: [7]", "Price 1 is no mapping"),
        ("prices: [{item: a, unit: per_gb, amount: 1}]", r"Price 1 \(a\): unit is one of"),
        ("prices: [{item: a, unit: per_gb_month, amount: .nan}]", "from 0 to"),
        ("prices: [{item: a, unit: per_gb_month, amount: -1}]", "from 0 to"),
        ("prices: [{item: a, unit: per_gb_month, amount: 1e-13}]", "twelve decimals"),
        ("prices: [{item: a, unit: per_gb_month, amount: many}]", "is a number, not “many”"),
        ("prices: [{item: a, unit: per_gb_month, amount: true}]", "amount is a number"),
        ("prices: [{unit: per_gb_month, amount: 1}]", "item says what"),
        ("prices: [{item: a, unit: per_gb_month, amount: 1, curency: USD}]", "there is no field curency"),
        ("prices: [{item: a, unit: per_gb_month, amount: 1, currency: dollars}]", "currency is"),
        ("prices: [{item: a, unit: per_gb_month, amount: 1, valid_from: May}]", "valid_from is a day"),
        (
            "prices: [{item: a, unit: per_gb_month, amount: 1, valid_from: 2026-05-02, valid_to: 2026-05-01}]",
            "valid_to is after",
        ),
        ("prices: [{item: a, unit: per_gb_month, amount: 1, tiers: [{up_to: 5, amount: 1}]}]", "the last one has none"),
        ("x: &a [1]\nprices: *a", "aliases are not taken"),
        ("prices:\n- {item: a, valid_from: 2026-13-45}", "Line 2: this is no YAML .“2026-13-45” is no timestamp"),
        ("2026-02-30", "is no timestamp"),
        ("prices: [{amount: 0x_}]", "Line 1: .*“0x_” is no int"),
        ("prices: !!timestamp soon", "is no timestamp"),
        (
            "prices: [{item: a, unit: per_gb_month, amount: 1}, {item: a, unit: per_gb_month, amount: 2}]",
            "is there twice",
        ),
        ("[" * 3000, "no YAML|nested"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(BookError, match=said):
        pricebook.parse(text)

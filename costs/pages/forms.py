"""What is typed on the pages of prices and budgets, and what is said of unusual days."""

from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.db.models import QuerySet

from costs import pricebook
from costs.models import Budget, PriceRate
from platform_risk.core.catalog.selectors import environments, services_managed_by, teams_visible_to
from platform_risk.core.models import Environment, Service, Team, User
from platform_risk.quantities.pricing import GIBIBYTE, GIGABYTE, UNIT_WORDS, Confidence, PriceUnit

_DAY = forms.DateInput(attrs={"type": "date"})


def _amount(label: str, *, required: bool = True, help_text: str = "") -> forms.DecimalField:
    return forms.DecimalField(
        label=label, min_value=Decimal(0), max_value=Decimal(10**12), max_digits=24, decimal_places=12,
        required=required, help_text=help_text, widget=forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"}),
    )  # fmt: skip


class PriceForm(forms.Form):
    item = forms.CharField(label="What it is a price of", max_length=200)
    provider = forms.RegexField(
        r"^[a-z0-9][a-z0-9._-]{0,79}\Z", required=False, max_length=80,
        help_text="Whose usage it prices unchosen, as newrelic or aws-cloudwatch-logs.",
    )  # fmt: skip
    unit = forms.ChoiceField(choices=[(unit.value, UNIT_WORDS[unit]) for unit in PriceUnit])
    amount = _amount("Price")
    currency = forms.RegexField(r"^[A-Z]{3}\Z", max_length=3, initial="USD")
    free = _amount("Free each month", required=False, help_text="Of the unit; comes off before tiers are counted.")
    tiers = forms.CharField(
        required=False, max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3, "class": "mono", "spellcheck": "false"}),
        help_text="One a line: up to how much a month, a space, the price; the last line has only the price.",
    )  # fmt: skip
    gb_bytes = forms.TypedChoiceField(
        label="A gigabyte is", coerce=int, choices=[(GIGABYTE, "10^9 bytes (GB)"), (GIBIBYTE, "2^30 bytes (GiB)")]
    )
    valid_from = forms.DateField(label="Valid from", required=False, widget=_DAY)
    valid_to = forms.DateField(label="Valid until", required=False, widget=_DAY, help_text="Not included.")
    source_text = forms.CharField(label="Source", max_length=500, required=False)
    source_date = forms.CharField(label="Date of the source", max_length=40, required=False)
    confidence = forms.ChoiceField(choices=[(each.value, each.value) for each in Confidence])
    applies = forms.BooleanField(label="Applies without being chosen", required=False, initial=True)
    note = forms.CharField(max_length=1000, required=False)

    def clean_free(self) -> Decimal:
        return self.cleaned_data["free"] or Decimal(0)

    def clean_tiers(self) -> list[dict[str, Any]]:
        """Lines as {up_to, amount}."""
        found = []
        for number, line in enumerate(self.cleaned_data["tiers"].splitlines(), start=1):
            parts = line.split()
            if not parts:
                continue
            try:
                numbers = [Decimal(part) for part in parts]
            except InvalidOperation as error:
                raise forms.ValidationError(f"Line {number} is not one or two numbers.") from error
            if len(parts) > 2 or not all(each.is_finite() for each in numbers):
                raise forms.ValidationError(f"Line {number} is not one or two numbers.")
            found.append({"up_to": numbers[0] if len(numbers) == 2 else None, "amount": numbers[-1]})
        return found

    def sent(self) -> dict[str, Any]:
        data = dict(self.cleaned_data)
        return data | {"source": data.pop("source_text")}


def price_fields(rate: PriceRate) -> dict[str, Any]:
    names = (
        "item", "provider", "unit", "currency", "gb_bytes", "valid_from", "valid_to", "source_date", "confidence",
        "applies", "note",
    )  # fmt: skip
    lines = [" ".join(part for part in (each["up_to"], each["amount"]) if part) for each in rate.tiers]
    amounts = {name: getattr(rate, name).normalize() for name in ("amount", "free")}
    return {name: getattr(rate, name) for name in names} | {
        "source_text": rate.source, "tiers": "\n".join(lines),
        **{name: format(value, "f") for name, value in amounts.items()},
    }  # fmt: skip


class BookForm(forms.Form):
    """A price book as YAML, as a file or as text."""

    file = forms.FileField(required=False, label="YAML file")
    text = forms.CharField(
        required=False, strip=False, label="or its text",
        widget=forms.Textarea(attrs={"rows": 4, "class": "mono", "spellcheck": "false"}),
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        file = data.get("file")
        if file is not None:
            if file.size > pricebook.MOST_BYTES:
                raise forms.ValidationError(f"A price book has at most {pricebook.MOST_BYTES:,} bytes.")
            data["text"] = file.read().decode("utf-8-sig", "replace")
        if not (data.get("text") or "").strip():
            raise forms.ValidationError("Choose a file or paste its text.")
        return data


class BudgetForm(forms.Form):
    team = forms.ModelChoiceField(Team.objects.none(), required=False, empty_label="–")
    service = forms.ModelChoiceField(Service.objects.none(), required=False, empty_label="–")
    environment = forms.ModelChoiceField(Environment.objects.none(), required=False, empty_label="–")
    account = forms.CharField(max_length=200, required=False, help_text="Id of a cloud account.")
    amount = forms.DecimalField(
        label="A month", min_value=Decimal(0), max_digits=20, decimal_places=4,
        widget=forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"}),
    )  # fmt: skip
    currency = forms.RegexField(r"^[A-Z][A-Z0-9_]{2,39}\Z", max_length=40, initial="USD")
    note = forms.CharField(max_length=500, required=False)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        managed: dict[str, QuerySet[Any]] = {"team": teams_visible_to(user), "service": services_managed_by(user)}
        for name, rows in (managed | {"environment": environments()}).items():
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = rows
        if not user.is_admin:
            # What concerns all teams is an administrator's.
            del self.fields["environment"], self.fields["account"]


def budget_fields(budget: Budget) -> dict[str, Any]:
    names = ("team", "service", "environment", "account", "currency", "note")
    return {name: getattr(budget, name) for name in names} | {"amount": format(budget.amount.normalize(), "f")}


class SeenForm(forms.Form):
    """Why an unusual day is all right."""

    team = forms.CharField(required=False, max_length=80, widget=forms.HiddenInput)
    day = forms.DateField(widget=forms.HiddenInput)
    currency = forms.CharField(max_length=40, widget=forms.HiddenInput)
    reason = forms.CharField(max_length=1000, label="Why it is all right")

"""Forms of risk: stating an input, and the thresholds of the lanes."""

import json
from decimal import Decimal
from itertools import pairwise
from typing import Any

from django import forms

from findings.checks.registry import CHECKS
from findings.risk import stating
from findings.risk.inputs import Confidence
from findings.risk.lanes import Thresholds
from findings.risk.stating import Kind
from findings.risk_presentation import TITLES, in_unit, kind_words
from platform_risk.core.models import Service

_ALL_KINDS = {kind: words for name in stating.NAMES for kind, words in kind_words(name)}


def _decimal(label: str, **kwargs: Any) -> forms.DecimalField:
    return forms.DecimalField(
        label=label, required=False, min_value=Decimal(0), max_digits=24, decimal_places=8, **kwargs
    )


_NUMBERS = ("value", "lo", "mode", "hi", "incidents", "years")


class InputForm(forms.Form):
    """One input. Of the numbers those count that its kind takes; stating.js shows only these."""

    kind = forms.ChoiceField(label="Stated as", choices=list(_ALL_KINDS.items()))
    value = _decimal("Number")
    lo = _decimal("From")
    mode = _decimal("Most likely")
    hi = _decimal("To")
    incidents = _decimal("Incidents")
    years = _decimal("In years")
    basis = forms.CharField(
        label="What it rests on", max_length=500, help_text="A measurement, a postmortem, whose judgement."
    )
    confidence = forms.ChoiceField(
        choices=[(each.value, each.value.capitalize()) for each in Confidence], initial=Confidence.MEDIUM
    )
    reason = forms.CharField(label="Why it is stated or changed now", max_length=2000, required=False)

    def __init__(self, *args: Any, name: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._name = name
        kind = self.fields["kind"]
        assert isinstance(kind, forms.ChoiceField)
        if name:
            kind.choices = kind_words(name)
            needed = {each for kind in stating.kinds_of(name) for each in stating.NEEDS[kind]}
            for each in set(_NUMBERS) - needed:
                del self.fields[each]
            if name in stating.SHARES:
                self.fields["value"].help_text = "A share: 0.35 for 35 %."
        kind.widget.attrs["data-takes"] = json.dumps(stating.NEEDS)

    def clean(self) -> dict[str, Any]:
        """What the model would refuse in its own words, said at the field that is wrong."""
        data = super().clean() or {}
        name, chosen = self._name or data.get("name"), data.get("kind")
        if not name or not chosen:
            return data
        kind = Kind(chosen)
        if kind not in stating.kinds_of(name):
            ways = ", ".join(f"“{words}”" for _, words in kind_words(name))
            self.add_error("kind", f"This is stated as {ways}.")
            return data
        wanted = stating.NEEDS[kind]
        for each in wanted:
            if data.get(each) is None and each not in self.errors:
                self.add_error(each, f"“{_ALL_KINDS[kind.value]}” needs it.")
        if not self.errors:
            self._check(name, kind, {each: data[each] for each in wanted})
        return data

    def _check(self, name: str, kind: Kind, numbers: dict[str, Decimal]) -> None:
        ordered = [each for each in ("lo", "mode", "hi") if each in numbers]
        for low, high in pairwise(ordered):
            if numbers[low] > numbers[high]:
                self.add_error(high, f"It is less than “{self.fields[low].label}”.")
        for each, number in numbers.items():
            if name in stating.SHARES and number > 1:
                self.add_error(each, "A share lies between 0 and 1: 0.35 for 35 %.")
            elif kind not in (Kind.DAYS_BETWEEN, Kind.INCIDENTS) and number > stating.LARGEST.get(name, number):
                self.add_error(each, f"{stating.LARGEST[name]:,.0f} {stating.UNITS[name]} at most.")
            elif each == "years" and not number:
                self.add_error(each, "More than no years.")
            elif each == "incidents" and number % 1:
                self.add_error(each, "A whole number.")

    def numbers(self) -> dict[str, Any]:
        """Those of the kind that were given; the model says what is lacking."""
        wanted = stating.NEEDS[Kind(self.cleaned_data["kind"])]
        return {name: self.cleaned_data[name] for name in wanted if self.cleaned_data.get(name) is not None}

    def stated(self) -> dict[str, Any]:
        return {
            "kind": self.cleaned_data["kind"],
            "numbers": self.numbers(),
            "basis": self.cleaned_data["basis"],
            "confidence": self.cleaned_data["confidence"],
            "reason": self.cleaned_data["reason"],
        }


def _titled(name: str) -> str:
    return f"{TITLES[name]}, {in_unit(name, 'money')}"


class ServiceInputForm(InputForm):
    """An input of a whole service, or of one check's findings in it."""

    service = forms.ModelChoiceField(Service.objects.none(), to_field_name="slug")
    check_id = forms.ChoiceField(
        label="Of which findings",
        required=False,
        choices=[("", "All of the service"), *((check.meta.id, check.meta.title) for check in CHECKS.values())],
    )
    name = forms.ChoiceField(label="What is stated", choices=[(name, _titled(name)) for name in stating.NAMES])

    field_order = ("service", "check_id", "name")

    def __init__(self, *args: Any, services: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["service"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = services
        kinds = {name: list(stating.kinds_of(name)) for name in stating.NAMES}
        self.fields["name"].widget.attrs["data-kinds"] = json.dumps(kinds)


class ThresholdsForm(forms.Form):
    """From when on figures decide; money of a year, in each service's own currency."""

    cost_rises_from = forms.DecimalField(
        label="A cost rises to Important from", min_value=Decimal(1), max_digits=18, decimal_places=2,
        help_text="A year, in the service's currency.",
    )  # fmt: skip
    immediate_from = forms.DecimalField(
        label="Security and loss of data are Immediate from", min_value=Decimal(1), max_digits=18, decimal_places=2,
        help_text="The loss of one bad year in twenty.",
    )  # fmt: skip
    immediate_budget_share = forms.DecimalField(
        label="Immediate from this share of the error budget", min_value=Decimal("0.01"), max_digits=8,
        decimal_places=4, help_text="1 is the whole budget of a year.",
    )  # fmt: skip
    critical_budget_share = forms.DecimalField(
        label="Critical from this share of the error budget", min_value=Decimal("0.01"), max_digits=8, decimal_places=4
    )
    tolerance = forms.CharField(
        label="Tolerance line", required=False, widget=forms.Textarea(attrs={"rows": 4, "class": "mono"}),
        help_text="A line for each point: an amount, then how likely a year may exceed it, as 100000 0.1.",
    )  # fmt: skip
    currency = forms.CharField(label="Currency of the tolerance line", initial="USD", max_length=3)
    reason = forms.CharField(label="Why", max_length=2000, required=False, help_text="Needed to apply it.")

    def thresholds(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in Thresholds().as_json()}

    def clean_tolerance(self) -> list[tuple[Decimal, float]]:
        points = []
        for number, line in enumerate(self.cleaned_data["tolerance"].splitlines(), start=1):
            if not line.strip():
                continue
            try:
                amount, probability = line.split()
                points.append((Decimal(amount), float(probability)))
            except (ValueError, ArithmeticError):
                raise forms.ValidationError(f"Line {number}: an amount and a probability, as 100000 0.1.") from None
        return points

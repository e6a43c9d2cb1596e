"""Forms of the imports pages."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django import forms

from findings.vocabulary import Category, Severity
from platform_risk.core.models import ImportKind
from platform_risk.joint.receiving import formats

# Our field → how a person calls it, in the order in which they are asked.
COLUMNS = {
    "title": "Title", "severity": "Severity", "message": "Description", "category": "Category",
    "rule": "Rule or number", "path": "File", "line": "Line", "resource": "Resource", "image": "Image",
    "package": "Package", "package_version": "Package version", "identifiers": "CVE, CWE", "remedy": "Remedy",
    "status": "Status", "reason": "Why it has this status", "tags": "Tags",
}  # fmt: skip
CONSTANTS = {
    name: [(value.value, value.replace("_", " ").capitalize()) for value in values]
    for name, values in (("category", tuple(Category)), ("severity", tuple(Severity)))
}
CURRENCIES = {"currency": [(code, code) for code in ("USD", "EUR", "GBP", "CHF", "CAD", "AUD", "INR", "JPY")]}


class UploadForm(forms.Form):
    """Where the files go; the files themselves are read from the request, one by one."""

    kind = forms.ChoiceField(
        label="What it is",
        choices=[("", "Find out from the content"), *ImportKind.choices],
        required=False,
        help_text="Configuration is read and checked here: a folder, also as .zip or .tar, or a single file.",
    )
    service = forms.CharField(
        max_length=80, widget=forms.TextInput(attrs={"list": "services", "autocomplete": "off"}), required=False,
        help_text="What was scanned or configured; a new name creates it. A bill has none, usage may have one.",
    )  # fmt: skip
    environment = forms.CharField(
        max_length=80, required=False, widget=forms.TextInput(attrs={"list": "environments", "autocomplete": "off"})
    )
    branch = forms.CharField(max_length=250, required=False, help_text="Empty: as the report says, else the default.")
    source = forms.CharField(
        max_length=100, required=False, help_text="Empty: the report's tool. Reports of one source replace each other."
    )
    export = forms.CharField(
        max_length=100, required=False, help_text="Of a bill. Bills of one export replace each other, month by month."
    )
    billing_account = forms.CharField(max_length=200, required=False, help_text="Of a bill that does not name it.")
    complete = forms.ChoiceField(
        label="Looked at everything",
        choices=[("auto", "As the report says"), ("yes", "Yes"), ("no", "No: it closes nothing, a bill is added to")],
        required=False,
    )
    format = forms.ChoiceField(required=False)
    observed_at = forms.DateTimeField(
        label="Observed at", required=False, help_text="UTC. Empty: the report's own time, else now.",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["format"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", "Find out from the content"), *((name, name) for name in sorted(formats()))]

    def clean_complete(self) -> str:
        return self.cleaned_data["complete"] or "auto"

    def clean_observed_at(self) -> datetime | None:
        moment: datetime | None = self.cleaned_data["observed_at"]
        return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


class ColumnsForm(forms.Form):
    """Which column means what; a column or, for some fields, one value for every row ("=security").

    `labels`: our field → how a person calls it, in the order in which they are asked."""

    def __init__(
        self,
        *args: Any,
        headers: Sequence[str],
        guess: dict[str, str],
        labels: Mapping[str, str] = COLUMNS,
        needed: Collection[str] = ("title",),
        constants: Mapping[str, Sequence[tuple[str, str]]] | None = None,
        written: Mapping[str, Mapping[str, str]] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        columns = [(header, header) for header in headers]
        fixed = CONSTANTS if constants is None else constants
        for name, label in labels.items():
            options: list[Any] = [("", "No column"), *columns]
            if written and name in written:  # of the writing, which no column holds
                told = [(f"={value}", text) for value, text in written[name].items()]
                options = [("", "Found out from the lines"), *told]
            if name in fixed:
                words = [(f"={value}", text) for value, text in fixed[name]]
                options += [("The same for every row", words)]
            self.fields[name] = forms.ChoiceField(
                label=label, choices=options, required=name in needed, initial=guess.get(name, "")
            )

    def columns(self) -> dict[str, str]:
        return {name: column for name, column in self.cleaned_data.items() if column}

    def guessed(self) -> dict[str, str]:
        """What the header says by itself, or a person said before."""
        return {name: field.initial for name, field in self.fields.items() if field.initial}


class ReasonForm(forms.Form):
    reason = forms.CharField(label="Why", required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2}))

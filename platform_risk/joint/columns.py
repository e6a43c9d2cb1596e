"""Which column of a list means what, asked by a page or a program: the same questions, answers and preview."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.http import Http404

from costs import reading as bills
from costs.bills import charges_csv
from costs.bills.preview import Preview
from costs.bills.records import BillError
from findings import reading
from findings.scans import mapping
from platform_risk.core.errors import Refused
from platform_risk.core.imports import services
from platform_risk.core.models import ColumnMapping, Import, ImportKind, User
from platform_risk.joint.forms import COLUMNS, CURRENCIES, ColumnsForm


@dataclass(frozen=True)
class Asked:
    """`guess`: what the header says by itself, or a person said before; `needed`: fields without which there is no
    list, and how a person calls them; `about`: how the form asks."""

    row: Import
    headers: list[str]
    guess: dict[str, str]
    signature: str
    needed: dict[str, str]
    about: dict[str, Any] = field(default_factory=dict)

    @property
    def labels(self) -> Mapping[str, str]:
        labels: Mapping[str, str] = self.about.get("labels", COLUMNS)
        return labels

    def form(self, data: Any = None) -> ColumnsForm:
        return ColumnsForm(data, headers=self.headers, guess=self.guess, **self.about)

    def remembered(self) -> ColumnMapping | None:
        return services.remembered_columns(self.signature)

    def remember(self, columns: dict[str, str], *, user: User) -> None:
        """Raises Refused when a needed field is missing."""
        services.remember_columns(self.signature, columns, user=user, needed=self.needed)

    def checked(self, columns: Mapping[str, Any]) -> dict[str, str]:
        """What a program says. Raises Refused for a field, a column or a value that does not exist, and
        for a needed field that is missing."""
        unknown = next((name for name in columns if name not in self.labels), None)
        if unknown is not None:
            raise Refused(f"{unknown[:60]} is none of {', '.join(self.labels)}.", field="columns")
        for name, words in self.needed.items():
            if not columns.get(name):
                raise Refused(f"Say which column holds the {words}.", field=f"columns/{name}")
        form = self.form({name: columns.get(name) or "" for name in self.labels})
        for name, errors in form.errors.items():
            raise Refused(f"{name}: {errors[0]}", field=f"columns/{name}")
        return form.columns()

    def may_preview(self, columns: Mapping[str, str]) -> bool:
        return self.row.kind == ImportKind.BILL and all(name in columns for name in self.needed)

    def preview(self, columns: Mapping[str, str]) -> Preview | BillError:
        """What a list of charges comes to, or why that cannot be told. Nothing of it is applied."""
        try:
            return bills.previewed(self.row, columns)
        except BillError as error:
            return error


def of(row: Import) -> Asked:
    """Raises Http404 when the import is no list with columns."""
    if row.kind == ImportKind.BILL:
        headers, guess = bills.columns_of(row)
        needed = {name: charges_csv.LABELS[name].lower() for name in charges_csv.NEEDED}
        about = {
            "labels": charges_csv.LABELS, "needed": needed, "constants": CURRENCIES, "written": charges_csv.WRITTEN
        }  # fmt: skip
        found = Asked(row, headers, guess, charges_csv.signature(headers), needed, about)
    elif row.kind == ImportKind.SCAN:
        headers, guess = reading.columns_of(row, settings.IMPORT_LIMITS[row.kind])
        found = Asked(row, headers, guess, mapping.header_signature(headers), {"title": "title"})
    else:
        found = Asked(row, [], {}, "", {})
    if not found.headers:
        raise Http404("This import is no list with columns.")
    return found


def options(form: ColumnsForm, name: str) -> Sequence[tuple[str, str]]:
    """(value, how a person calls it) of what a field may be beside a column: the same for every row, or a writing."""
    flat: list[tuple[str, str]] = []
    for value, text in form.fields[name].choices:  # type: ignore[attr-defined] # of a ChoiceField
        flat += text if isinstance(text, list | tuple) else [(value, text)]
    return [(str(value), str(text)) for value, text in flat if str(value)[:1] == "="]

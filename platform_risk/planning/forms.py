"""Forms of planning's pages: they read what was typed; services decide."""

import re
from decimal import Decimal
from typing import Any

from django import forms

from findings.checks.registry import CHECKS
from findings.models import Finding, choices
from findings.selectors import people_visible_to
from findings.vocabulary import Lane
from platform_risk.core.catalog.selectors import services_written_by, teams_visible_to, teams_written_by
from platform_risk.core.models import Service, Team, User
from platform_risk.planning.incidents_csv import MOST_BYTES
from platform_risk.planning.models import MOST_DAYS, Incident, Remedy
from platform_risk.planning.vocabulary import NoteKind, RemedyState


class RemedyForm(forms.Form):
    title = forms.CharField(max_length=200)
    slug = forms.CharField(label="Short name", max_length=80, help_text="As in addresses and the API.")
    effort_days = forms.DecimalField(
        label="Effort in engineer-days", min_value=Decimal("0.1"), max_value=MOST_DAYS, max_digits=5, decimal_places=1
    )
    lane = forms.ChoiceField(required=False, choices=[("", "Nobody says"), *choices(Lane)])
    state = forms.ChoiceField(choices=choices(RemedyState), initial=RemedyState.PROPOSED.value)
    team = forms.ModelChoiceField(
        Team.objects.none(), required=False, empty_label="Every team", help_text="Whose findings it closes."
    )
    owner = forms.ModelChoiceField(User.objects.none(), required=False, empty_label="Nobody")
    how = forms.CharField(
        label="How", required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": 4}),
    )  # fmt: skip
    checks = forms.MultipleChoiceField(
        label="Closes the findings of",
        widget=forms.CheckboxSelectMultiple,
        choices=[(id_, f"{check.meta.title} ({id_})") for id_, check in CHECKS.items()],
    )
    reason = forms.CharField(label="Why the change", required=False, max_length=2000)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        team, owner = self.fields["team"], self.fields["owner"]
        assert isinstance(team, forms.ModelChoiceField)
        assert isinstance(owner, forms.ModelChoiceField)
        team.queryset = teams_visible_to(user)
        owner.queryset = people_visible_to(user)
        if not user.sees_unowned:
            team.required, team.empty_label = True, None


_YES_OR_NO = [("", "Nobody says"), ("yes", "Yes"), ("no", "No")]


def _moment(label: str, *, required: bool = False, help_text: str = "") -> forms.DateTimeField:
    return forms.DateTimeField(
        label=label, required=required, help_text=help_text,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )  # fmt: skip


class IncidentForm(forms.Form):
    service = forms.ModelChoiceField(Service.objects.none(), empty_label="Choose one")
    title = forms.CharField(label="What happened", max_length=300)
    started_at = _moment("Started", required=True, help_text="UTC, as all times here.")
    detected_at = _moment("Detected")
    recovered_at = _moment("Recovered")
    users_affected = forms.DecimalField(
        label="Users affected, in percent", required=False, min_value=Decimal(0), max_value=Decimal(100),
        max_digits=7, decimal_places=4,
    )  # fmt: skip
    was_predicted = forms.ChoiceField(
        label="Predicted", required=False, choices=_YES_OR_NO, help_text="A finding had told of it before."
    )
    was_alerted = forms.ChoiceField(
        label="Alerted", required=False, choices=_YES_OR_NO, help_text="An alert told of it, not a user."
    )
    findings = forms.CharField(
        label="Findings", required=False, max_length=1000, help_text="Their numbers, as #12 #15: the causes."
    )
    notes = forms.CharField(required=False, max_length=10_000, widget=forms.Textarea(attrs={"rows": 4}))

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._user = user
        field = self.fields["service"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = services_written_by(user)

    def clean_users_affected(self) -> Decimal | None:
        percent: Decimal | None = self.cleaned_data["users_affected"]
        return None if percent is None else percent / 100

    def _told(self, name: str) -> bool | None:
        return {"yes": True, "no": False}.get(self.cleaned_data[name])

    def clean_was_predicted(self) -> bool | None:
        return self._told("was_predicted")

    def clean_was_alerted(self) -> bool | None:
        return self._told("was_alerted")

    def clean_findings(self) -> list[Finding]:
        words = [word.lstrip("#") for word in re.split(r"[\s,;]+", self.cleaned_data["findings"]) if word]
        numbers = {int(word) for word in words if word.isascii() and word.isdigit() and len(word) < 19}
        found = list(Finding.objects.visible_to(self._user).filter(pk__in=numbers))
        if len(numbers) != len(words) or len(found) != len(numbers):
            raise forms.ValidationError("Numbers of findings that you may see, as #12 #15.")
        return found


def incident_fields(incident: Incident, linked: list[Finding]) -> dict[str, Any]:
    names = ("service", "title", "started_at", "detected_at", "recovered_at", "notes")
    said = {None: "", True: "yes", False: "no"}
    percent = None if incident.users_affected is None else (incident.users_affected * 100).normalize()
    return {name: getattr(incident, name) for name in names} | {
        "users_affected": percent,
        "was_predicted": said[incident.was_predicted],
        "was_alerted": said[incident.was_alerted],
        "findings": " ".join(f"#{each.pk}" for each in linked),
    }


class NoteForm(forms.Form):
    kind = forms.ChoiceField(label="Is a", choices=choices(NoteKind))
    team = forms.ModelChoiceField(Team.objects.none(), required=False, empty_label="No team")
    text = forms.CharField(label="Text", max_length=4000, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["team"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = teams_written_by(user)
        if not user.sees_unowned:
            field.required, field.empty_label = True, None


class FileForm(forms.Form):
    file = forms.FileField(label="CSV file")

    def clean_file(self) -> bytes:
        file = self.cleaned_data["file"]
        if file.size > MOST_BYTES:
            raise forms.ValidationError(f"A file has at most {MOST_BYTES // 1_000_000} MB.")
        data: bytes = file.read()
        return data


def remedy_fields(remedy: Remedy) -> dict[str, Any]:
    names = ("title", "slug", "effort_days", "lane", "state", "team", "owner", "how", "checks")
    return {name: getattr(remedy, name) for name in names}

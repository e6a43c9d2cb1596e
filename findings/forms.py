"""Forms of the findings pages: they turn what is sent into the plain actions of findings.actions."""

from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone

from findings import presentation
from findings.actions import Action, Transition, Update
from findings.models import choices
from findings.vocabulary import Category, DismissReason, Lane, Outcome, Severity, Status
from platform_risk.core.models import User

KEEP = "keep"
REASONS = {
    DismissReason.INACCURATE: "Inaccurate: the tool is wrong",
    DismissReason.NOT_APPLICABLE: "Not applicable: true, but it does no harm here",
    DismissReason.MITIGATED_ELSEWHERE: "Mitigated elsewhere",
    DismissReason.DUPLICATE: "Duplicate of another finding",
    DismissReason.WONT_FIX: "Won't fix",
}
TITLES = {
    "assign": "Assign", "snooze": "Snooze", "accept": "Accept the risk", "dismiss": "Dismiss", "tags": "Tags",
    "severity": "Set the severity", "lane": "Set the lane", "triaged": "Mark as triaged",
    "in_progress": "Start work", "fixed": "Mark as fixed",
    "verified": "Mark as verified", "new": "Reopen",
}  # fmt: skip
VERBS = {
    "snooze": Status.SNOOZED, "accept": Status.ACCEPTED, "dismiss": Status.DISMISSED, "triaged": Status.TRIAGED,
    "in_progress": Status.IN_PROGRESS, "fixed": Status.FIXED, "verified": Status.VERIFIED, "new": Status.NEW,
}  # fmt: skip
VERB_OF = {status: verb for verb, status in VERBS.items()}


def _comment(*, required: bool = False, label: str = "Why", rows: int = 2) -> forms.CharField:
    return forms.CharField(
        label=label, required=required, max_length=2000, widget=forms.Textarea(attrs={"rows": rows, "maxlength": 2000})
    )


def _day(label: str, days: int, help_text: str) -> forms.DateField:
    def tomorrow() -> str:
        return (timezone.now().date() + timedelta(days=1)).isoformat()

    return forms.DateField(
        label=label,
        help_text=help_text,
        initial=lambda: timezone.now().date() + timedelta(days=days),
        widget=forms.DateInput(attrs={"type": "date", "min": tomorrow()}, format="%Y-%m-%d"),
    )


class DecisionForm(forms.Form):
    """One decision. `action()` is what findings.services and findings.bulk carry out."""

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        self.user = user
        super().__init__(*args, **kwargs)

    def action(self) -> Action:
        raise NotImplementedError


class TransitionForm(DecisionForm):
    to = Status.NEW
    comment = _comment()

    def action(self) -> Action:
        sent = self.cleaned_data
        return Transition(
            to=self.to,
            reason=sent.get("reason", ""),
            comment=sent.get("comment", ""),
            until=sent.get("until"),
            expires_on=sent.get("expires_on"),
        )


class DismissForm(TransitionForm):
    to = Status.DISMISSED
    reason = forms.ChoiceField(label="Reason", choices=[("", "Choose one"), *REASONS.items()])
    comment = _comment(label="What makes you sure")


class SnoozeForm(TransitionForm):
    to = Status.SNOOZED
    until = _day("Until", 7, "On this day it is back where it was.")


class AcceptForm(TransitionForm):
    to = Status.ACCEPTED
    expires_on = _day("Until", 90, "On this day it is looked at again. It also comes back when its severity rises.")
    comment = _comment(required=True, label="Why this risk can be borne")


class TriagedForm(TransitionForm):
    to = Status.TRIAGED


class InProgressForm(TransitionForm):
    to = Status.IN_PROGRESS


class FixedForm(TransitionForm):
    to = Status.FIXED
    comment = _comment(label="What was done")


class VerifiedForm(TransitionForm):
    to = Status.VERIFIED


class ReopenForm(TransitionForm):
    to = Status.NEW


class AssignForm(DecisionForm):
    owner = forms.ChoiceField(label="Owner", required=False)
    team = forms.ChoiceField(label="Team", required=False, help_text="Outlives ownership rules.")
    comment = _comment()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mine = self.user.get_username()
        people = [
            name for name in presentation.colleagues(self.user).values_list("username", flat=True) if name != mine
        ]
        keep = [(KEEP, "As it is")]
        self._choose("owner", [*keep, (mine, f"Me ({mine})"), ("", "Nobody"), *((name, name) for name in people)])
        self.fields["owner"].initial = mine  # what one means most often: a, Enter
        named = presentation.teams(self.user).values_list("slug", "name")
        self._choose("team", [*keep, ("", "Nobody's"), *named])

    def _choose(self, name: str, options: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = options
        field.initial = KEEP

    def clean(self) -> dict[str, Any]:
        sent = super().clean() or {}
        if not self.errors and all(self._kept(name) for name in ("owner", "team")):
            raise forms.ValidationError("Choose an owner or a team.")
        return sent

    def _kept(self, name: str) -> bool:
        return name not in self.data or self.cleaned_data.get(name) == KEEP

    def action(self) -> Action:
        fields: dict[str, Any] = {}
        for name, rows, column in (
            ("owner", presentation.colleagues(self.user), "username"),
            ("team", presentation.teams(self.user), "slug"),
        ):
            if not self._kept(name):
                value = self.cleaned_data[name]
                fields[name] = rows.values_list("pk", flat=True).get(**{column: value}) if value else None
        return Update(fields=fields, comment=self.cleaned_data["comment"])


class SeverityForm(DecisionForm):
    severity = forms.ChoiceField(
        label="Severity", required=False, choices=[("", "What the report says"), *choices(Severity)],
        help_text="Lane and due date follow it; the day the clock started stays.",
    )  # fmt: skip
    comment = _comment()

    def action(self) -> Action:
        return Update(fields={"severity": self.cleaned_data["severity"] or None}, comment=self.cleaned_data["comment"])


class LaneForm(DecisionForm):
    lane = forms.ChoiceField(
        label="Lane", required=False, choices=[("", "As figures, severity and class decide"), *choices(Lane)],
        help_text="The due date follows it. It stays until somebody gives it back.",
    )  # fmt: skip
    comment = _comment(label="Why")

    def action(self) -> Action:
        return Update(fields={"lane": self.cleaned_data["lane"] or None}, comment=self.cleaned_data["comment"])


def _tags(text: str) -> list[str]:
    tags = list(dict.fromkeys(tag.strip() for tag in text.split(",") if tag.strip()))
    if any(len(tag) > 60 or not tag.isprintable() for tag in tags):
        raise forms.ValidationError("A tag has 60 printable characters at most.")
    if len(tags) > 20:
        raise forms.ValidationError("20 tags at most.")
    return tags


class SetTagsForm(DecisionForm):
    """The whole set, of one finding."""

    tags = forms.CharField(label="Tags", required=False, max_length=1000, help_text="Separated by commas.")

    def clean_tags(self) -> list[str]:
        return _tags(self.cleaned_data["tags"])

    def action(self) -> Action:
        return Update(fields={"tags": self.cleaned_data["tags"]})


class TagsForm(DecisionForm):
    """What to add and what to take away, of many."""

    add_tags = forms.CharField(label="Add", required=False, max_length=1000, help_text="Separated by commas.")
    remove_tags = forms.CharField(label="Take away", required=False, max_length=1000, help_text="Separated by commas.")

    def clean_add_tags(self) -> list[str]:
        return _tags(self.cleaned_data["add_tags"])

    def clean_remove_tags(self) -> list[str]:
        return _tags(self.cleaned_data["remove_tags"])

    def clean(self) -> dict[str, Any]:
        sent = super().clean() or {}
        if not self.errors and not sent.get("add_tags") and not sent.get("remove_tags"):
            raise forms.ValidationError("Name a tag to add or to take away.")
        return sent

    def action(self) -> Action:
        sent = self.cleaned_data
        fields = {name: sent[name] for name in ("add_tags", "remove_tags") if sent[name]}
        return Update(fields=fields)


FORMS: dict[str, type[DecisionForm]] = {
    "assign": AssignForm, "snooze": SnoozeForm, "accept": AcceptForm, "dismiss": DismissForm, "tags": TagsForm,
    "severity": SeverityForm, "lane": LaneForm, "triaged": TriagedForm, "in_progress": InProgressForm,
    "fixed": FixedForm,
    "verified": VerifiedForm, "new": ReopenForm,
}  # fmt: skip
# Of one finding: the same decisions, but tags are set as a whole.
SINGLE_FORMS: dict[str, type[DecisionForm]] = {**FORMS, "tags": SetTagsForm}


# What may be chosen depends on who asks: __init__ fills it in.
_NOTHING: Any = None


class WriteForm(forms.Form):
    """A finding by hand."""

    title = forms.CharField(label="Title", max_length=500, help_text="What is wrong, in one line.")
    service = forms.ModelChoiceField(label="Service", queryset=_NOTHING, to_field_name="slug", empty_label="Choose one")
    environment = forms.ModelChoiceField(
        label="Environment", queryset=_NOTHING, to_field_name="slug", required=False, empty_label="None"
    )
    severity = forms.ChoiceField(label="Severity", choices=choices(Severity), initial=Severity.MEDIUM)
    category = forms.ChoiceField(label="Category", choices=choices(Category), initial=Category.ARCHITECTURE)
    outcome = forms.ChoiceField(label="What it leads to", choices=[("", "Not said"), *choices(Outcome)], required=False)
    description = forms.CharField(
        label="Description", required=False, max_length=20_000, widget=forms.Textarea(attrs={"rows": 6}),
        help_text="What happens, when, and to whom.",
    )  # fmt: skip
    path = forms.CharField(label="File", required=False, max_length=1000)
    line = forms.IntegerField(label="Line", required=False, min_value=1, max_value=2_000_000_000)
    evidence = forms.CharField(
        label="Evidence", required=False, max_length=20_000, widget=forms.Textarea(attrs={"rows": 6, "class": "mono"}),
        help_text="Configuration, code or a log line that shows it. Secrets are taken out.",
    )  # fmt: skip

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, rows in (
            ("service", presentation.writable_services(user)),
            ("environment", presentation.environments()),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = rows

    def values(self) -> dict[str, Any]:
        sent = dict(self.cleaned_data)
        return {**sent, "severity": Severity(sent["severity"]), "category": Category(sent["category"])}


class SaveViewForm(forms.Form):
    name = forms.CharField(label="Name", max_length=80)
    team = forms.ModelChoiceField(
        label="Share with", queryset=_NOTHING, required=False, to_field_name="slug", empty_label="Nobody: only for me"
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["team"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = presentation.teams(user)


class CommentForm(forms.Form):
    text = forms.CharField(
        label="Comment", max_length=10_000, widget=forms.Textarea(attrs={"rows": 3, "maxlength": 10_000})
    )

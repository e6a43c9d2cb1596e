"""Forms of planning's pages: they read what was typed; services decide."""

from decimal import Decimal
from typing import Any

from django import forms

from findings.checks.registry import CHECKS
from findings.models import choices
from findings.selectors import people_visible_to, teams_visible_to
from findings.vocabulary import Lane
from planning.models import MOST_DAYS, Remedy
from planning.vocabulary import RemedyState
from platform_risk.core.models import Team, User


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
        label="Closes the findings of", widget=forms.CheckboxSelectMultiple, choices=[(id_, id_) for id_ in CHECKS]
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


def remedy_fields(remedy: Remedy) -> dict[str, Any]:
    names = ("title", "slug", "effort_days", "lane", "state", "team", "owner", "how", "checks")
    return {name: getattr(remedy, name) for name in names}

"""Forms of the core's pages: they read what was typed; services decide."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import QuerySet

from platform_risk.core.access.models import TokenScope
from platform_risk.core.catalog import selectors
from platform_risk.core.errors import Conflict, Refused
from platform_risk.core.models import Criticality, Environment, OwnershipRule, Role, Service, Team, User

MOST_FILE_BYTES = 3_000_000  # GitHub's own bound for CODEOWNERS files


def refused(form: forms.Form, error: Refused | Conflict) -> None:
    """A service's refusal, shown at its field or above the form."""
    field = getattr(error, "field", "")
    form.add_error(field if field in form.fields else None, str(error))


class SignInForm(forms.Form):
    username = forms.CharField(
        label="User name",
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "autofocus": True}),
    )
    password = forms.CharField(
        label="Password",
        max_length=4096,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    next = forms.CharField(required=False, widget=forms.HiddenInput)


class TeamForm(forms.Form):
    slug = forms.CharField(
        label="Short name", max_length=80, help_text="As in addresses and the API: a-z, 0-9, dot, dash, underscore."
    )
    name = forms.CharField(label="Name", max_length=200)


class EnvironmentForm(forms.Form):
    slug = forms.CharField(
        label="Short name", max_length=80, help_text="As in reports and the API: production, staging …"
    )
    name = forms.CharField(label="Name", max_length=200, required=False)


def environment_fields(environment: Environment) -> dict[str, Any]:
    return {"slug": environment.slug, "name": environment.name}


class ServiceForm(forms.Form):
    slug = forms.CharField(label="Short name", max_length=80, help_text="As in uploads, addresses and the API.")
    name = forms.CharField(label="Name", max_length=200, required=False)
    team = forms.ModelChoiceField(Team.objects.none(), required=False, empty_label="No team", label="Team")
    default_branch = forms.CharField(
        label="Default branch",
        max_length=250,
        initial="main",
        help_text="Only its findings count in figures, due dates and risk.",
    )
    criticality = forms.ChoiceField(choices=Criticality.choices, initial=Criticality.MEDIUM)
    slo = forms.DecimalField(
        label="SLO in percent",
        required=False,
        min_value=Decimal(0),
        max_value=Decimal(100),
        max_digits=8,
        decimal_places=5,
        help_text="Promised share of good requests, as 99.9. Empty: nobody promised one.",
    )
    value_per_bad_minute = forms.DecimalField(
        label="Loss per bad minute",
        required=False,
        min_value=Decimal(0),
        max_digits=16,
        decimal_places=4,
        help_text="Money lost in a minute without service. Empty: not estimated.",
    )
    currency = forms.RegexField(
        r"^[A-Z]{3}$", max_length=3, initial="USD", error_messages={"invalid": "Three capital letters, as USD or EUR."}
    )

    def __init__(self, *args: Any, teams: QuerySet[Team], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["team"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = teams

    def clean_slo(self) -> Decimal | None:
        percent: Decimal | None = self.cleaned_data["slo"]
        return None if percent is None else percent / 100


def service_fields(service: Service) -> dict[str, Any]:
    names = ("slug", "name", "team", "default_branch", "criticality", "value_per_bad_minute", "currency")
    percent = None if service.slo is None else (service.slo * 100).normalize()
    return {name: getattr(service, name) for name in names} | {"slo": percent}


class DeleteServiceForm(forms.Form):
    """Deleting takes findings and imports along, so the name has to be typed."""

    confirm = forms.CharField(label="Type the short name of the service", max_length=80)

    def __init__(self, *args: Any, slug: str, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "prefix": "delete"})
        self._slug = slug

    def clean_confirm(self) -> str:
        typed: str = self.cleaned_data["confirm"].strip()
        if typed != self._slug:
            raise forms.ValidationError(f"Type {self._slug} to delete it.")
        return typed


class RuleForm(forms.Form):
    kind = forms.ChoiceField(label="About", choices=OwnershipRule.Kind.choices)
    pattern = forms.CharField(
        max_length=500, help_text="Paths as in CODEOWNERS: /k8s/payments/, *.tf. Otherwise * stands for anything."
    )
    team = forms.ModelChoiceField(Team.objects.none(), label="Team that takes it", empty_label=None)
    service = forms.ModelChoiceField(Service.objects.none(), label="Holds for", required=False, empty_label=None)
    note = forms.CharField(max_length=500, required=False)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        team, service = self.fields["team"], self.fields["service"]
        assert isinstance(team, forms.ModelChoiceField)
        assert isinstance(service, forms.ModelChoiceField)
        team.queryset = selectors.teams_visible_to(user)
        service.queryset = selectors.services_managed_by(user)
        if user.is_admin:
            service.empty_label = "Every service"
        else:
            service.required = True


def rule_fields(rule: OwnershipRule) -> dict[str, Any]:
    return {name: getattr(rule, name) for name in ("kind", "pattern", "team", "service", "note")}


class TesterForm(forms.Form):
    service = forms.ModelChoiceField(Service.objects.none(), required=False, empty_label="None in particular")
    path = forms.CharField(max_length=1000, required=False)
    image = forms.CharField(max_length=500, required=False)
    namespace = forms.CharField(max_length=253, required=False)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "prefix": "test"})
        field = self.fields["service"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = selectors.services_visible_to(user)


class CodeownersForm(forms.Form):
    service = forms.ModelChoiceField(Service.objects.none(), label="The file belongs to", empty_label=None)
    file = forms.FileField(required=False, label="CODEOWNERS file")
    text = forms.CharField(
        required=False,
        strip=False,
        label="or its text",
        widget=forms.Textarea(attrs={"class": "mono", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        # Ids of its own: it stands beside RuleForm, which has a service too.
        super().__init__(*args, **{"auto_id": "codeowners_%s", **kwargs})
        field = self.fields["service"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = selectors.services_managed_by(user)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        file = data.get("file")
        if file is not None:
            if file.size > MOST_FILE_BYTES:
                raise forms.ValidationError("A CODEOWNERS file has at most 3 MB.")
            data["text"] = file.read().decode("utf-8-sig", "replace")
        if not (data.get("text") or "").strip():
            raise forms.ValidationError("Choose a file or paste its text.")
        return data


class OwnersForm(forms.Form):
    """Which team each owner of a CODEOWNERS file stands for. A field per owner: owner_0, owner_1 …"""

    service = forms.ModelChoiceField(Service.objects.none(), widget=forms.HiddenInput)
    text = forms.CharField(strip=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, user: User, owners: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        service = self.fields["service"]
        assert isinstance(service, forms.ModelChoiceField)
        service.queryset = selectors.services_managed_by(user)
        self.owners = list(owners)
        teams = selectors.teams_visible_to(user)
        by_name = {team.slug: team for team in teams}
        for number, owner in enumerate(self.owners):
            self.fields[f"owner_{number}"] = forms.ModelChoiceField(
                teams,
                required=False,
                label=owner,
                empty_label="No team: leave its lines out",
                initial=by_name.get(owner.rpartition("/")[2].lstrip("@").lower()),
            )

    def teams(self) -> dict[str, Team]:
        chosen = {owner: self.cleaned_data[f"owner_{number}"] for number, owner in enumerate(self.owners)}
        return {owner: team for owner, team in chosen.items() if team is not None}


class TokenForm(forms.Form):
    name = forms.CharField(max_length=100, help_text="What uses it, so that you know later what to revoke.")
    scope = forms.ChoiceField(
        choices=TokenScope.choices, initial=TokenScope.READ, help_text="Never more than you may do yourself."
    )
    expires_on = forms.DateField(
        label="Last day", required=False, widget=forms.DateInput(attrs={"type": "date"}), help_text="UTC."
    )

    def __init__(self, *args: Any, user: User, days: int, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "prefix": "token"})
        self.fields["expires_on"].help_text = f"UTC. Empty: in {days} days."
        if not user.is_admin:
            scope = self.fields["scope"]
            assert isinstance(scope, forms.ChoiceField)
            scope.choices = [choice for choice in TokenScope.choices if choice[0] != TokenScope.ADMIN]


class PasswordForm(forms.Form):
    old_password = forms.CharField(
        label="Present password", strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )
    new_password = forms.CharField(
        label="New password",
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 12 characters, and not one of the common ones.",
    )


class SettingsForm(forms.Form):
    first_name = forms.CharField(max_length=150, required=False, widget=forms.TextInput({"autocomplete": "given-name"}))
    last_name = forms.CharField(max_length=150, required=False, widget=forms.TextInput({"autocomplete": "family-name"}))
    email = forms.EmailField(
        label="E-mail", max_length=254, required=False, widget=forms.EmailInput({"autocomplete": "email"})
    )
    shortcuts = forms.BooleanField(
        label="Single-key shortcuts",
        required=False,
        help_text="Switch them off when you steer by voice or press keys by mistake.",
    )
    daily_digest = forms.BooleanField(
        label="Daily digest by mail", required=False, help_text="What is new, came back, expires; what of yours is due."
    )
    weekly_digest = forms.BooleanField(
        label="Weekly digest by mail", required=False, help_text="The review of the week that has ended, on Mondays."
    )


_SETTINGS = ("first_name", "last_name", "email", "shortcuts", "daily_digest", "weekly_digest")


def settings_fields(user: User) -> dict[str, Any]:
    return {name: getattr(user, name) for name in _SETTINGS}


class UserForm(forms.Form):
    """With a field per team: role_ID."""

    username = forms.RegexField(
        r"^[\w.@+-]+\Z", label="User name", max_length=150, error_messages={"invalid": "Letters, digits and @ . + - _"}
    )
    first_name = forms.CharField(max_length=150, required=False)
    last_name = forms.CharField(max_length=150, required=False)
    email = forms.EmailField(label="E-mail", max_length=254, required=False)
    password = forms.CharField(
        strip=False, max_length=4096, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )
    is_admin = forms.BooleanField(
        label="Administrator", required=False, help_text="Sees and changes everything, keeps users and teams."
    )

    def __init__(self, *args: Any, by: User, user: User | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._teams = list(selectors.teams_visible_to(by))
        roles = user.roles if user else {}
        for team in self._teams:
            self.fields[f"role_{team.pk}"] = forms.ChoiceField(
                choices=[("", "–"), *Role.choices], required=False, label=team.name, initial=roles.get(team.pk, "")
            )
        if user is not None:
            self.fields["password"].required = False
            self.fields["password"].label = "New password"
            self.fields["password"].help_text = "Empty: stays as it is."
            self.fields["is_active"] = forms.BooleanField(label="May sign in", required=False, initial=user.is_active)

    @property
    def role_fields(self) -> list[forms.BoundField]:
        return [self[f"role_{team.pk}"] for team in self._teams]

    def sent(self) -> dict[str, Any]:
        """As the services take it."""
        data = {name: value for name, value in self.cleaned_data.items() if not name.startswith("role_")}
        roles = {team: self.cleaned_data[f"role_{team.pk}"] for team in self._teams}
        return data | {"teams": {team: role for team, role in roles.items() if role}}


def user_fields(user: User) -> dict[str, Any]:
    return {
        "username": user.username,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "email": user.email,
        "is_admin": user.is_admin,
    }

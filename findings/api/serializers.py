"""Shapes: what the schema says of answers (rows.py makes them), and what requests may hold."""

from typing import Any

from rest_framework import serializers

from findings.api import enums
from platform_risk.core.api.fields import SlugField
from platform_risk.core.api.resources import Body

_MOST_TEXT = 10_000


def choice(values: list[str], **kwargs: Any) -> serializers.ChoiceField:
    return serializers.ChoiceField(choices=values, **kwargs)


def text(most: int, **kwargs: Any) -> serializers.CharField:
    return serializers.CharField(max_length=most, **kwargs)


def _tags(**kwargs: Any) -> serializers.ListField:
    return serializers.ListField(child=text(60), max_length=50, **kwargs)


class LocationSerializer(serializers.Serializer[Any]):
    path = serializers.CharField(allow_null=True)
    line = serializers.IntegerField(allow_null=True)
    end_line = serializers.IntegerField(allow_null=True)
    resource = serializers.CharField(allow_null=True)
    namespace = serializers.CharField(allow_null=True)
    image = serializers.CharField(allow_null=True)
    package = serializers.CharField(allow_null=True)
    version = serializers.CharField(allow_null=True)
    endpoint = serializers.CharField(allow_null=True)
    symbol = serializers.CharField(allow_null=True)


class AnnualLossSerializer(serializers.Serializer[Any]):
    mean = serializers.CharField()
    p5 = serializers.CharField(allow_null=True)
    p50 = serializers.CharField(allow_null=True)
    p95 = serializers.CharField(allow_null=True)
    currency = serializers.CharField()


class FindingSerializer(serializers.Serializer[Any]):
    """One problem in one place."""

    id = serializers.CharField()
    number = serializers.IntegerField()
    title = serializers.CharField()
    message = serializers.CharField(allow_blank=True)
    severity = choice(enums.SEVERITIES)
    severity_source = choice(enums.SEVERITY_SOURCES)
    reported_severity = choice(enums.SEVERITIES)
    lane = choice(enums.LANES)
    lane_reason = serializers.CharField()
    lane_source = choice(enums.LANE_SOURCES)
    status = choice(enums.STATUSES)
    regressed = serializers.BooleanField()
    category = choice(enums.CATEGORIES)
    locals()["class"] = choice(enums.CLASSES)  # a word of Python's own
    outcome = choice(enums.OUTCOMES, allow_null=True)
    rule = serializers.CharField()
    rule_name = serializers.CharField(allow_null=True)
    check = serializers.CharField(allow_null=True)
    scanners = serializers.ListField(child=serializers.CharField())
    service = serializers.CharField()
    environment = serializers.CharField(allow_null=True)
    branch = serializers.CharField()
    is_default_branch = serializers.BooleanField()
    team = serializers.CharField(allow_null=True)
    owner = serializers.CharField(allow_null=True)
    tags = serializers.ListField(child=serializers.CharField())
    location = LocationSerializer()
    identifiers = serializers.ListField(child=serializers.CharField())
    evidence = serializers.DictField()
    quantities = serializers.ListField(child=serializers.DictField())
    remedies = serializers.ListField(child=serializers.CharField())
    likelihood = serializers.IntegerField(allow_null=True)
    impact = serializers.IntegerField(allow_null=True)
    band = choice(enums.BANDS, allow_null=True)
    annual_loss = AnnualLossSerializer(allow_null=True)
    bad_minutes_per_year = serializers.FloatField(allow_null=True)
    hidden_minutes_per_year = serializers.FloatField(allow_null=True, help_text="Before anybody notices.")
    risk_reason = serializers.CharField(allow_null=True, help_text="Why it stands where it stands.")
    dismiss_reason = choice(enums.DISMISS_REASONS, allow_null=True)
    status_comment = serializers.CharField(allow_null=True)
    snoozed_until = serializers.DateField(allow_null=True)
    acceptance_expires_on = serializers.DateField(allow_null=True)
    first_seen_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)
    due_on = serializers.DateField(allow_null=True)
    fingerprint = serializers.CharField()
    version = serializers.IntegerField()
    updated_at = serializers.DateTimeField()


class FindingWrittenSerializer(Body):
    """A finding that a person writes."""

    title = text(300)
    description = text(_MOST_TEXT, required=False, allow_blank=True)
    category = choice(enums.CATEGORIES)
    severity = choice(enums.SEVERITIES)
    service = SlugField()
    environment = SlugField(required=False, allow_null=True)
    outcome = choice(enums.OUTCOMES, required=False)
    path = text(1000, required=False, allow_blank=True)
    line = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=2**31 - 1)
    evidence = text(_MOST_TEXT, required=False, allow_blank=True)


class FindingChangeSerializer(Body):
    """Fields that are sent are set; null takes owner and team away, and gives severity and lane back."""

    owner = text(150, required=False, allow_null=True)
    team = SlugField(required=False, allow_null=True)
    severity = choice(enums.SEVERITIES, required=False, allow_null=True)
    lane = choice(enums.LANES, required=False, allow_null=True, help_text="Needs a comment; null: as it was decided.")
    tags = _tags(required=False)
    comment = text(_MOST_TEXT, required=False, allow_blank=True, help_text="Why; kept in the history.")


class TransitionSerializer(Body):
    to = choice(enums.STATUSES)
    reason = text(1000, required=False, allow_blank=True, help_text="Of dismissing: one of the dismissal reasons.")
    comment = text(_MOST_TEXT, required=False, allow_blank=True)
    until = serializers.DateField(required=False, allow_null=True, help_text="Of snoozing.")
    expires_on = serializers.DateField(required=False, allow_null=True, help_text="Of accepting.")


class CommentWrittenSerializer(Body):
    text = text(_MOST_TEXT)


class CommentSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    author = serializers.CharField(allow_null=True)
    text = serializers.CharField()
    created_at = serializers.DateTimeField()


class HistorySerializer(serializers.Serializer[Any]):
    """One change: when, who, through what, why, and each field from and to."""

    id = serializers.CharField()
    at = serializers.DateTimeField()
    actor = serializers.CharField(allow_null=True)
    locals()["source"] = choice(enums.CHANGE_SOURCES)  # `source` is a property of fields
    reason = serializers.CharField(allow_blank=True)
    locals()["import"] = serializers.CharField(allow_null=True)
    bulk = serializers.CharField(allow_null=True)
    changes = serializers.DictField(child=serializers.ListField())


class BulkSerializer(Body):
    """Exactly one of `ids` and `q` says which findings; an empty `q` means all that you may change."""

    ids = serializers.ListField(child=serializers.RegexField(r"^[0-9]{1,18}$"), required=False, max_length=10_000)
    q = text(2000, required=False, allow_blank=True)
    action = choice(enums.BULK_ACTIONS)
    to = choice(enums.STATUSES, required=False)
    reason = text(1000, required=False, allow_blank=True)
    comment = text(_MOST_TEXT, required=False, allow_blank=True)
    until = serializers.DateField(required=False, allow_null=True)
    expires_on = serializers.DateField(required=False, allow_null=True)
    owner = text(150, required=False, allow_null=True)
    team = SlugField(required=False, allow_null=True)
    severity = choice(enums.SEVERITIES, required=False, allow_null=True)
    lane = choice(enums.LANES, required=False, allow_null=True)
    tags = _tags(required=False)
    add_tags = _tags(required=False)
    remove_tags = _tags(required=False)


class BulkResultSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    result = choice(enums.BULK_RESULTS)
    detail = serializers.CharField(allow_null=True)


class BulkAnswerSerializer(serializers.Serializer[Any]):
    """A decision about many findings; `results` are listed while there are 500 at most."""

    id = serializers.CharField()
    state = choice(enums.BULK_STATES)
    matched = serializers.IntegerField()
    applied = serializers.IntegerField()
    refused = serializers.IntegerField()
    results = BulkResultSerializer(many=True)
    url = serializers.URLField()
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    undone_at = serializers.DateTimeField(allow_null=True)

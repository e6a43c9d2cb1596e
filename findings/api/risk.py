"""Endpoints of risk. Each parses, makes one call, and answers."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from findings import placements, policy, portfolio, query, selectors, stating, tasks
from findings.api import enums, reading, risk_rows
from findings.api.risk_serializers import (
    ExceedanceSerializer,
    GroupSerializer,
    MatrixSerializer,
    PolicyBody,
    PolicySerializer,
    PreviewBody,
    PreviewSerializer,
    StatementBody,
    StatementChangeBody,
    StatementSerializer,
    SummarySerializer,
)
from findings.api.views import FILTERS
from findings.models import Finding, RiskInput
from findings.portfolio import Part
from platform_risk.core.api import exports, filters
from platform_risk.core.api.collections import Collection, described
from platform_risk.core.api.idempotency import idempotent
from platform_risk.core.api.problems import bad_field, bad_parameter
from platform_risk.core.api.resources import Resource, read
from platform_risk.core.api.schema import parameter
from platform_risk.core.catalog.selectors import teams_visible_to
from platform_risk.core.errors import Conflict
from platform_risk.core.models import Service, User

_VIEW = parameter(
    "view", "As things are, without the controls that exist, or after the remedies.", enum=enums.RISK_VIEWS, many=False
)
_UNIT = parameter("unit", "Impact in bad minutes (default) or money.", enum=enums.RISK_UNITS, many=False)
_PART = (
    parameter("service", "Of this service alone.", many=False),
    parameter("team", "Of this team alone.", many=False),
)


def _choice(request: Request, name: str, allowed: Sequence[str]) -> str:
    given = filters.choices(request, name, allowed)
    return given[-1] if given else allowed[0]


def part_of(request: Request, user: User) -> Part:
    found: dict[str, Any] = {}
    named = {"service": selectors.services_named_to(user), "team": teams_visible_to(user)}
    for name, rows in named.items():
        given = filters.words(request, name)
        if not given:
            continue
        found[name] = rows.filter(slug=given[-1]).first()
        if found[name] is None:
            raise bad_parameter(name, f"No {name} “{given[-1][:60]}” that you may see.")
    return Part(**found)


class Risk(Resource):
    """Risk: what is open, in minutes and money a year."""

    parameters: ClassVar[dict[str, Any]] = {
        "matrix": (_VIEW, _UNIT, *FILTERS),
        "summary": _PART,
        "exceedance": _PART,
        "groups": (*_PART, parameter("order", "The most first.", enum=enums.GROUP_ORDERS, many=False)),
    }
    paged: ClassVar[Sequence[str]] = ()
    exported: ClassVar[Sequence[str]] = ("matrix", "groups", "exceedance")
    conflicts: ClassVar[Sequence[str]] = ("exceedance",)

    @extend_schema(responses=MatrixSerializer)
    @action(detail=False)
    def matrix(self, request: Request) -> HttpResponseBase:
        """Open findings of default branches by likelihood and impact: a view, never an order."""
        chosen = {name: request.query_params.getlist(name) for name in query.FILTERS if name in request.query_params}
        view, unit = _choice(request, "view", enums.RISK_VIEWS), _choice(request, "unit", enums.RISK_UNITS)
        with reading.answers():
            asked = query.parse(request.query_params.get("q", ""), chosen)
            found = placements.matrix(self.user, unit=unit, view=view, query=asked)
        whole = exports.stream(request, risk_rows.CELLS, exports.Rows(found.cells))
        taken = portfolio.controls(self.user) if view == "inherent" else []
        return whole or Response(risk_rows.matrix(found, taken))

    @extend_schema(responses=SummarySerializer)
    @action(detail=False)
    def summary(self, request: Request) -> Response:
        """The year in a few figures. Means at once; percentiles once a worker has drawn the years."""
        part = part_of(request, self.user)
        drawn = tasks.drawn(self.user, part)
        lacking, assumed = (portfolio.missing(self.user, part, column=name) for name in ("missing", "defaulted"))
        return Response(risk_rows.summary(portfolio.sums(self.user, part), drawn, lacking, assumed))

    @extend_schema(responses=ExceedanceSerializer)
    @action(detail=False)
    def exceedance(self, request: Request) -> HttpResponseBase:
        """How likely a year exceeds an amount. Empty until a worker has drawn the years; a file waits until then, for
        one without lines would read as no risk."""
        drawn = tasks.drawn(self.user, part_of(request, self.user))
        whole = exports.stream(request, risk_rows.POINTS, exports.Rows(risk_rows.points(drawn)))
        if whole is not None and drawn is not None and not drawn.result:
            raise Conflict("The years are not drawn yet: ask again when the summary's simulation is done.")
        return whole or Response(risk_rows.exceedance(drawn, portfolio.last_policy()))

    @extend_schema(responses=GroupSerializer(many=True))
    @action(detail=False)
    def groups(self, request: Request) -> HttpResponseBase:
        """What burns most, by check and service: at most 1,000."""
        part, order = part_of(request, self.user), _choice(request, "order", enums.GROUP_ORDERS)
        found = portfolio.burners(self.user, part, shown=1_000, order=order)
        whole = exports.stream(request, risk_rows.GROUPS, exports.Rows(found))
        rows = [risk_rows.group(each) for each in found]
        return whole or Response({"results": rows, "next": None, "previous": None})

    @extend_schema(responses=PolicySerializer)
    @action(detail=False)
    def policy(self, request: Request) -> Response:
        """From when on figures decide a lane, and what loss is tolerated how often."""
        return Response(risk_rows.policy(portfolio.last_policy()))

    @extend_schema(request=PolicyBody, responses={200: PolicySerializer})
    @policy.mapping.put
    @idempotent()
    def change_policy(self, request: Request) -> Response:
        """Change thresholds or tolerance, as an administrator; lanes follow at once."""
        sent = read(PolicyBody, request)
        if "tolerance" in sent:
            sent["tolerance"] = [(each["amount"], each["probability"]) for each in sent["tolerance"]]
        changed = policy.change(user=self.user, through="api", **sent)
        return Response(risk_rows.policy(changed))

    @extend_schema(request=PreviewBody, responses={200: PreviewSerializer})
    @action(detail=False, methods=["post"], url_path="policy/preview")
    def preview(self, request: Request) -> Response:
        """What other thresholds would move, for administrators. Changes nothing."""
        if not self.user.is_admin:
            raise PermissionDenied("The preview counts everybody's findings: it takes an administrator.")
        limits = policy.check(read(PreviewBody, request)["thresholds"])
        return Response({"moves": risk_rows.moves(policy.preview(limits))})


@described(
    StatementSerializer,
    StatementBody,
    StatementChangeBody,
    list="What was stated about findings and services that you may see.",
    create="State an input: of a finding (`finding`), of a check in a service, or of a whole service.",
    retrieve="One statement.",
    change="State it anew; `numbers` and `kind` go together.",
    delete="Take it back: what is measured or assumed holds again.",
)
class RiskInputs(Collection):
    """Risk inputs: what people state, each with source, author, date and confidence."""

    parameters: ClassVar[dict[str, Any]] = {
        "list": (*_PART[:1], parameter("finding", "Of this finding alone.", many=False)),
    }
    table = risk_rows.STATEMENTS
    body = StatementBody
    change_body = StatementChangeBody

    def rows(self) -> QuerySet[RiskInput]:
        found = portfolio.inputs_visible_to(self.user)
        if self.action != "list":
            return found
        part = part_of(self.request, self.user)
        if part.service is not None:
            found = found.filter(service=part.service)
        for number in filters.words(self.request, "finding")[-1:]:
            if not (number.isascii() and number.isdigit() and len(number) < 19):
                raise bad_parameter("finding", "finding is a finding's number.")
            found = found.filter(finding_id=int(number))
        return found

    def add(self, sent: dict[str, Any]) -> RiskInput:
        sent["basis"] = sent.pop("source")
        with reading.answers():
            return stating.state(user=self.user, through="api", **sent | self._about(sent))

    def _about(self, sent: dict[str, Any]) -> dict[str, Any]:
        if "finding" in sent:
            finding = Finding.objects.visible_to(self.user).filter(pk=int(sent["finding"])).first()
            if finding is None:
                raise bad_field("/finding", "No such finding that you may see.")
            named = sent.get("service", finding.service.slug)
            if named != finding.service.slug:
                raise bad_field("/service", f"The finding is of service {finding.service.slug}.")
            return {"finding": finding, "service": finding.service}
        if "service" not in sent:
            raise bad_field("/service", "Say of which service, or of which finding.")
        service = Service.objects.visible_to(self.user).filter(slug=sent["service"]).first()
        if service is None:
            raise bad_field("/service", f"No service “{sent['service']}” that you may see.")
        return {"service": service}

    def change(self, row: RiskInput, sent: dict[str, Any]) -> None:
        if "source" in sent:
            sent["basis"] = sent.pop("source")
        if ("kind" in sent) != ("numbers" in sent):
            raise bad_field("/numbers", "kind and numbers go together.")
        with reading.answers():
            stating.restate(row, user=self.user, through="api", **sent)

    def remove(self, row: RiskInput) -> None:
        with reading.answers():
            stating.withdraw(row, user=self.user, through="api")

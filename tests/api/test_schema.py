"""The OpenAPI schema: valid, complete, and kept by what the API really answers."""

import copy
import json
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any, cast

import hypothesis
import pytest
import schemathesis
from django.core import signals
from django.db import close_old_connections, transaction
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.validation import validate_schema
from hypothesis import HealthCheck, Phase, strategies
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from costs.models import SharedCost
from findings.actions import Update
from findings.models import Finding
from findings.services import act
from platform_risk.core.api import pages
from platform_risk.core.models import Environment, OwnershipRule, Service, Token, User
from platform_risk.planning.models import ReviewSnapshot
from platform_risk.planning.reviews import figures
from platform_risk.wsgi import application
from tests.factories import (
    make_budget,
    make_finding,
    make_incident,
    make_price,
    make_remedy,
    make_risk_input,
    make_scenario,
    make_token,
    make_user,
    sarif,
    sarif_result,
    upload,
)

Api = Callable[..., Client]
CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


def test_the_schema_is_valid_and_made_without_a_warning() -> None:
    pages.schema.cache_clear()
    GENERATOR_STATS.reset()
    made = pages.schema()
    assert not GENERATOR_STATS  # false without a warning
    validate_schema(made)  # type: ignore[no-untyped-call]
    assert made["openapi"].startswith("3.1")


def test_what_may_be_anything_may_be_null_by_the_schema_too() -> None:
    found = [
        schema
        for component in pages.schema()["components"]["schemas"].values()
        for schema in parts(component)
        if {} in schema.get("oneOf", ())
    ]
    assert found == []  # null is one of anything: exactly one of both would never hold


def test_what_is_answered_page_by_page_is_what_is_read_page_by_page() -> None:
    for path, methods in pages.schema()["paths"].items():
        for method, operation in methods.items():
            is_paged = "Paginated" in json.dumps(operation["responses"].get("200", {}))
            takes_size = any(each["name"] == "page_size" for each in operation.get("parameters", ()))
            assert is_paged or not takes_size, (method, path)
            assert method == "get" or not is_paged, (method, path)


def parts(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
    for each in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from parts(each)


def test_the_schema_is_for_those_who_are_signed_in(api: Api, client: Client, alice: User) -> None:
    assert client.get("/api/v1/schema/").status_code == 401
    assert api(alice, "read").get("/api/v1/schema/").json()["openapi"].startswith("3.1")


def test_every_operation_has_words_and_says_which_problems_there_may_be() -> None:
    for path, methods in pages.schema()["paths"].items():
        for method, operation in methods.items():
            assert operation.get("description"), (method, path)
            assert {"400", "401", "403"} <= set(operation["responses"]), (method, path)


def test_every_call_of_the_contract_is_there() -> None:
    calls = {f"{method.upper()} {path}" for path, methods in pages.schema()["paths"].items() for method in methods}
    lists = [
        "services",
        "teams",
        "environments",
        "ownership-rules",
        "users",
        "tokens",
        "risk/inputs",
        "prices",
        "budgets",
        "scenarios",
    ]
    wanted = {
        "POST /api/v1/imports/", "GET /api/v1/imports/", "GET /api/v1/imports/{id}/",
        "GET /api/v1/imports/{id}/columns/", "PUT /api/v1/imports/{id}/columns/",
        "POST /api/v1/imports/{id}/columns/preview/",
        "GET /api/v1/imports/{id}/rejects/", "POST /api/v1/imports/{id}/cancel/", "POST /api/v1/imports/{id}/undo/",
        "GET /api/v1/findings/", "POST /api/v1/findings/", "GET /api/v1/findings/{id}/",
        "PATCH /api/v1/findings/{id}/", "POST /api/v1/findings/{id}/transitions/",
        "GET /api/v1/findings/{id}/history/", "POST /api/v1/findings/bulk/",
        "GET /api/v1/risk/matrix/", "GET /api/v1/risk/summary/", "GET /api/v1/risk/exceedance/",
        "GET /api/v1/risk/policy/", "PUT /api/v1/risk/policy/", "POST /api/v1/risk/policy/preview/",
        "GET /api/v1/findings/{id}/risk/", "GET /api/v1/costs/forecast/", "GET /api/v1/costs/anomalies/",
        "POST /api/v1/costs/anomalies/acknowledge/", "GET /api/v1/prices/book/", "PUT /api/v1/prices/book/",
        "GET /api/v1/costs/daily/", "GET /api/v1/costs/showback/",
    }  # fmt: skip
    for vector in ("metrics", "entities", "logs"):
        wanted |= {f"{method} /api/v1/costs/projections/{vector}/" for method in ("GET", "POST")}
    for name in lists:
        wanted |= {f"GET /api/v1/{name}/", f"POST /api/v1/{name}/"}
        wanted |= {f"{method} /api/v1/{name}/{{id}}/" for method in ("GET", "PATCH", "DELETE")}
    assert wanted <= calls


def test_the_page_of_the_api_lists_every_call(signed_in: Callable[[User], Client], client: Client, alice: User) -> None:
    assert client.get("/api/docs/").status_code == 302
    page = signed_in(alice).get("/api/docs/").content.decode()
    for path, methods in pages.schema()["paths"].items():
        for method in methods:
            assert f"{method.upper()} {path}" in page
    assert "curl -X POST http://testserver/api/v1/imports/" in page
    assert "style=" not in page


# What the API answers to generated requests


@pytest.fixture
def _one_connection() -> Iterator[None]:
    """A server closes its connections after each request; here the test's transaction must outlive them."""
    for signal in (signals.request_started, signals.request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (signals.request_started, signals.request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def objects(
    checkout: Service, alice: User, bob: User, vic: User, mary: User, ada: User, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """One of each thing, by the part of the address that its id follows."""
    monkeypatch.setattr("platform_risk.core.api.throttling.CALLS_PER_MINUTE", 10**9)
    finding = make_finding(checkout)
    told = figures([checkout.team], date(2026, 11, 16))[checkout.team_id]
    bulk = act(Finding.objects.all(), Update(fields={"tags": ["a"]}), user=alice, source="api")
    Environment.objects.create(slug="production")
    rule = OwnershipRule.objects.create(
        position=1, kind="path", pattern="k8s/**", team_id=checkout.team_id or 0, service=checkout
    )
    for user in (alice, vic, mary, ada):
        make_token(user)
    make_user("victim")
    return {
        "findings": str(finding.pk),
        "bulk": str(bulk.pk),
        "imports": str(upload(sarif(sarif_result()), checkout, run=False, user=alice).pk),
        "services": "checkout",
        "teams": "payments",
        "environments": "production",
        "ownership-rules": str(rule.pk),
        "users": "victim",
        "tokens": "0",
        "reviews": str(ReviewSnapshot.objects.create(week=date(2026, 11, 16), team=checkout.team, figures=told).pk),
        "incidents": str(make_incident(checkout, finding).pk),
        "remedies": make_remedy("own", team=checkout.team).slug,
        "shared-costs": str(SharedCost.objects.create(kind="tag", pattern="shared=yes").pk),
        "inputs": str(make_risk_input(checkout, user=alice).pk),
        "prices": str(make_price().pk),
        "budgets": str(make_budget(checkout).pk),
        "scenarios": str(make_scenario(alice).pk),
    }


def served(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """As a server does it: closes the answer, and with it the files of the request."""
    answer = application(environ, start_response)
    try:
        return [b"".join(answer)]
    finally:
        answer.close()


def operations(method: str) -> Iterator[Any]:
    described = schemathesis.openapi.from_dict(copy.deepcopy(pages.schema()))
    described.app = served
    for found in described.get_all_operations():
        operation: Any = cast(Any, found).ok()
        if (operation.method.upper() == "GET") == (method == "GET"):
            yield operation


def _key(path: str, objects: dict[str, str], user: User) -> str | None:
    parts = path.split("/")
    if "{id}" not in parts:
        return None
    kind = parts[parts.index("{id}") - 1]
    if kind == "tokens":
        return str(Token.objects.filter(user=user).order_by("id").values_list("pk", flat=True)[0])
    return objects[kind]


def _try(operation: Any, key: str | None, headers: dict[str, str], examples: int) -> None:
    made = [
        operation.as_strategy(mode, path_parameters={"id": key} if key and real else None)
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
        for real in ((True,) if key is None else (True, False))
        if mode is GenerationMode.POSITIVE or operation.body or operation.query
    ]

    @hypothesis.settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(case=strategies.one_of(made))
    def answers_as_described(case: Any) -> None:
        with transaction.atomic():
            case.call_and_validate(headers=headers, checks=CHECKS)
            transaction.set_rollback(True)

    answers_as_described()


@pytest.mark.usefixtures("_one_connection")
@pytest.mark.parametrize(
    ("name", "scope", "method"),
    [
        ("vic", "write", "writes"),
        ("ada", "admin", "GET"),
        ("ada", "admin", "writes"),
        # A viewer reads what an admin reads, or less. Who is between may do more than nothing and less than all.
        *(
            pytest.param(name, "write", method, marks=pytest.mark.drill)
            for name, method in (
                ("vic", "GET"), ("alice", "GET"), ("alice", "writes"), ("mary", "GET"), ("mary", "writes"),
            )
        ),
    ],
)  # fmt: skip
def test_no_generated_request_is_answered_as_the_schema_does_not_say(
    objects: dict[str, str], name: str, scope: str, method: str
) -> None:
    user = User.objects.get(username=name)
    headers = {"Authorization": f"Bearer {make_token(user, scope)}"}
    # Who may do the most is tried the most, a viewer for what it is refused; the drill tries others, each more often.
    examples = {"ada": 3, "vic": 1}.get(name, 4)
    for operation in operations(method):
        _try(operation, _key(operation.path, objects, user), headers, examples)

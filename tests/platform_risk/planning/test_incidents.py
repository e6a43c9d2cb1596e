"""Incidents by form, file and API: who sees them, what is refused, and what they tell of risks."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.utils import timezone

from findings import estimating
from findings.models import Estimate, Finding, RiskInput
from platform_risk.core.models import AuditEvent, Service, Team, User
from platform_risk.planning import incidents
from platform_risk.planning.evidence import Evidence
from platform_risk.planning.incidents import Cause, evidence_of, follow_the_calendar
from platform_risk.planning.models import Incident
from tests.factories import make_finding, make_risk_input, make_service

pytestmark = pytest.mark.django_db
Api = Callable[..., Client]
SignedIn = Callable[[User], Client]
JSON = "application/json"
HEADER = "service,title,started_at,detected_at,recovered_at,users_affected,was_alerted,findings\n"


@pytest.fixture
def cause(checkout: Service) -> Finding:
    Service.objects.filter(pk=checkout.pk).update(created_at=datetime(2024, 11, 1, tzinfo=UTC))
    checkout.refresh_from_db()
    finding = make_finding(checkout, check_id="db-connections", rule="db-connections", risk_class="stability")
    estimating.follow([finding.pk])
    return finding


def body(**fields: Any) -> dict[str, Any]:
    return {"service": "checkout", "title": "Pool ran dry", "started_at": "2026-11-02T09:30:00Z"} | fields


def frequency(finding: Finding) -> float | None:
    return Estimate.objects.get(key=Finding.objects.get(pk=finding.pk).risk_key).frequency


def test_incidents_tell_how_often_it_happens_and_how_often_an_alert_catches_it(
    api: Api, alice: User, cause: Finding
) -> None:
    before = frequency(cause)
    sent = body(detected_at="2026-11-02T10:00:00Z", was_alerted=True, findings=[str(cause.pk)])
    made = api(alice).post("/api/v1/incidents/", sent, JSON)
    assert (made.status_code, made.json()["findings"]) == (201, [str(cause.pk)])
    rows = {row.name: row for row in RiskInput.objects.filter(check_id="db-connections")}
    assert (rows["frequency"].kind, rows["frequency"].numbers["incidents"]) == ("incidents", "1")
    assert rows["frequency"].source.startswith("Incidents: 1 incident in 2.")
    assert rows["alert_probability"].numbers == {"value": "0.75"}
    assert frequency(cause) == pytest.approx(1.5 / (1 + float(rows["frequency"].numbers["years"])))
    assert frequency(cause) != before
    api(alice).post("/api/v1/incidents/", body(title="Again", findings=[str(cause.pk)]), JSON)
    assert RiskInput.objects.get(pk=rows["frequency"].pk).numbers["incidents"] == "2"
    for incident in Incident.objects.all():
        assert api(alice).delete(f"/api/v1/incidents/{incident.pk}/").status_code == 204
    assert not RiskInput.objects.filter(check_id="db-connections").exists()
    assert frequency(cause) == before


def test_years_without_an_incident_count_up_to_the_day_and_the_same_day_is_the_same(
    api: Api, alice: User, checkout: Service, cause: Finding, monkeypatch: pytest.MonkeyPatch
) -> None:
    api(alice).post("/api/v1/incidents/", body(was_alerted=True, findings=[str(cause.pk)]), JSON)
    make_risk_input(checkout, user=alice, basis="A guess", name="recover", check_id="db-connections")
    digest = Estimate.objects.get(key=cause.risk_key).input_hash
    assert follow_the_calendar() == 0  # nothing is newer than what was just written
    later = timezone.now() + timedelta(days=365)
    monkeypatch.setattr(timezone, "now", lambda: later)
    assert follow_the_calendar() == 2
    row = RiskInput.objects.get(name="frequency", check_id="db-connections")
    years = round((later.date() - date(2024, 11, 1)).days / 365.25, 2)
    assert float(row.numbers["years"]) == years
    assert (row.author, row.source) == (alice, f"Incidents: 1 incident in {years:g} years since 2024-11-01")
    assert frequency(cause) == pytest.approx(1.5 / (1 + years))
    assert Estimate.objects.get(key=cause.risk_key).input_hash != digest
    event = AuditEvent.objects.filter(kind="risk_input", actor=None).latest("id")
    assert event.reason == "Years and findings are counted up to today"
    assert follow_the_calendar() == 0


def test_findings_of_one_check_share_its_incidents(
    api: Api, alice: User, checkout: Service, cause: Finding, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in ("a.yaml", "b.yaml"):
        make_finding(checkout, check_id="db-connections", rule="db-connections", risk_class="stability", path=path)
    solved = make_finding(checkout, check_id="db-connections", rule="db-connections", path="c.yaml", status="fixed")
    api(alice).post("/api/v1/incidents/", body(findings=[str(cause.pk)]), JSON)
    row = RiskInput.objects.get(name="frequency", check_id="db-connections")
    found = evidence_of(checkout, Cause("db-connections"))
    assert found is not None
    assert (found.findings, float(row.numbers["years"])) == (3, round(3 * found.years, 2))
    assert row.source.endswith("since 2024-11-01, shared by 3 findings")
    assert frequency(cause) == pytest.approx(1.5 / (1 + 3 * found.years), rel=1e-3)
    api(alice).post("/api/v1/incidents/", body(title="An old one", findings=[str(solved.pk)]), JSON)
    row.refresh_from_db()
    assert (row.numbers["incidents"], float(row.numbers["years"])) == ("2", round(4 * found.years, 2))
    make_finding(checkout, check_id="db-connections", rule="db-connections", path="d.yaml")
    assert follow_the_calendar() == 1
    row.refresh_from_db()
    assert row.source.endswith("shared by 5 findings")


def test_years_begin_with_the_day_that_is_stated_or_with_the_first_incident_of_whatever_cause(
    api: Api, alice: User, checkout: Service, cause: Finding
) -> None:
    def since() -> date:
        follow_the_calendar()
        row = RiskInput.objects.get(name="frequency", check_id="db-connections")
        found = evidence_of(checkout, Cause("db-connections"))
        assert found is not None
        assert float(row.numbers["years"]) == found.years
        return found.since

    api(alice).post("/api/v1/incidents/", body(findings=[str(cause.pk)]), JSON)
    assert since() == date(2024, 11, 1)  # made here
    api(alice).post("/api/v1/incidents/", body(title="Disk full", started_at="2023-05-04T09:30:00Z"), JSON)
    assert since() == date(2023, 5, 4)

    def state(day: str) -> int:
        sent = {"service": "checkout", "facts": {"incidents.recorded_since": day}}
        return api(alice).put("/api/v1/facts/", sent, JSON).status_code

    assert state("2021-01-01") == 200
    assert since() == date(2021, 1, 1)
    assert state("last year") == 400
    assert state("2025-06-01") == 200
    assert since() == date(2023, 5, 4)  # one that is older is there


def test_an_older_incident_of_whatever_cause_moves_the_years_of_all_of_them_at_once_and_so_does_taking_it_back(
    api: Api, alice: User, cause: Finding
) -> None:
    def since() -> str:
        return RiskInput.objects.get(name="frequency", check_id="db-connections").source.split(" since ")[1]

    api(alice).post("/api/v1/incidents/", body(findings=[str(cause.pk)]), JSON)
    before = frequency(cause)
    old = api(alice).post("/api/v1/incidents/", body(title="Disk full", started_at="2019-05-04T09:30:00Z"), JSON).json()
    assert since() == "2019-05-04"
    assert (frequency(cause) or 1) < (before or 0)
    address = f"/api/v1/incidents/{old['id']}/"
    assert api(alice).patch(address, {"started_at": "2020-05-04T09:30:00Z"}, JSON).status_code == 200
    assert since() == "2020-05-04"
    assert api(alice).delete(address).status_code == 204
    assert since() == "2024-11-01"
    assert frequency(cause) == before


def took(minutes: int, recovered: int, **fields: Any) -> dict[str, Any]:
    begin = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
    detected = begin + timedelta(minutes=minutes)
    ends = {"detected_at": detected, "recovered_at": detected + timedelta(minutes=recovered)}
    return body(title=f"After {minutes}", **{name: each.isoformat() for name, each in ends.items()}) | fields


def test_three_incidents_tell_how_long_it_takes_and_whom_it_hits_and_two_do_not(
    api: Api, alice: User, checkout: Service, cause: Finding
) -> None:
    sent = [took(10, 20, was_alerted=True, users_affected="0.2"), took(20, 40, was_alerted=True, users_affected="0.4"),
            took(60, 40, was_alerted=True, users_affected="0.9"), took(90, 20, was_alerted=False)]  # fmt: skip
    for each in sent[:2]:
        api(alice).post("/api/v1/incidents/", each | {"findings": [str(cause.pk)]}, JSON)
    told = RiskInput.objects.filter(check_id="db-connections")
    assert set(told.values_list("name", flat=True)) == {"frequency", "alert_probability"}
    for each in sent[2:]:
        api(alice).post("/api/v1/incidents/", each | {"findings": [str(cause.pk)]}, JSON)
    rows = {row.name: row for row in told}
    assert set(rows) == {"frequency", "alert_probability", "detect_alerted", "recover", "users_affected"}
    # PERT means (10 + 4 × 27.5 + 60) ÷ 6 = 30, (20 + 4 × 30 + 40) ÷ 6 = 30, (0.2 + 4 × 0.475 + 0.9) ÷ 6 = 0.5
    assert rows["detect_alerted"].numbers == {"lo": "10", "mode": "27.5", "hi": "60"}
    assert rows["recover"].numbers == {"lo": "20", "mode": "30", "hi": "40"}
    assert rows["users_affected"].numbers == {"lo": "0.2", "mode": "0.475", "hi": "0.9"}
    assert rows["detect_alerted"].source == "Incidents: minutes to detection of 3 that an alert told of"
    audited = AuditEvent.objects.count()
    first = Incident.objects.get(title="After 10")
    api(alice).patch(f"/api/v1/incidents/{first.pk}/", {"notes": "Looked at once more"}, JSON)
    assert AuditEvent.objects.count() == audited + 1  # the incident's own: nothing else changed
    api(alice).delete(f"/api/v1/incidents/{first.pk}/")
    assert set(told.values_list("name", flat=True)) == {"frequency", "alert_probability", "recover"}


@pytest.mark.django_db(transaction=True)
def test_incidents_written_at_once_all_count(
    alice: User, checkout: Service, cause: Finding, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = incidents.evidence_of

    def slowly(service: Service, cause: Cause) -> Evidence | None:
        found = real(service, cause)
        time.sleep(0.1)  # long enough for all others to have looked too
        return found

    monkeypatch.setattr(incidents, "evidence_of", slowly)

    def write(number: int) -> None:
        try:
            incidents.create(
                user=alice, through="api", service=checkout, title=f"Incident {number}", started_at=timezone.now(),
                findings=[cause],
            )  # fmt: skip
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(write, range(3)))
    assert RiskInput.objects.get(name="frequency").numbers["incidents"] == "3"


def test_an_incident_of_a_scanners_finding_tells_of_that_finding(api: Api, alice: User, cause: Finding) -> None:
    reported, other = (make_finding(cause.service, rule="CVE-2026-1", path=path) for path in ("a", "b"))
    estimating.follow([reported.pk, other.pk])
    before = frequency(other)
    made = api(alice).post("/api/v1/incidents/", body(findings=[str(reported.pk)]), JSON).json()
    row = RiskInput.objects.get(name="frequency")
    assert (row.finding, row.check_id, row.numbers["incidents"]) == (reported, "", "1")
    assert frequency(reported) == pytest.approx(1.5 / (1 + float(row.numbers["years"])))
    assert frequency(other) == before
    api(alice).delete(f"/api/v1/incidents/{made['id']}/")
    assert not RiskInput.objects.exists()
    assert frequency(reported) == before


def test_what_a_person_stated_is_left_alone(api: Api, alice: User, checkout: Service, cause: Finding) -> None:
    stated = make_risk_input(checkout, user=alice, basis="A postmortem", check_id="db-connections")
    api(alice).post("/api/v1/incidents/", body(findings=[str(cause.pk)]), JSON)
    assert RiskInput.objects.get(pk=stated.pk).source == "A postmortem"


def test_strangers_see_nothing_and_viewers_change_nothing(
    api: Api, alice: User, bob: User, vic: User, cause: Finding, search: Team
) -> None:
    made = api(alice).post("/api/v1/incidents/", body(), JSON).json()
    url = f"/api/v1/incidents/{made['id']}/"
    for user, status in ((bob, 404), (vic, 403)):
        assert api(user).patch(url, {"title": "x"}, JSON).status_code == status
        assert api(user).delete(url).status_code == status
    assert api(bob).get("/api/v1/incidents/").json()["results"] == []
    assert api(bob).get("/api/v1/incidents/", {"service": "checkout"}).status_code == 400
    assert api(bob).post("/api/v1/incidents/", body(), JSON).status_code == 400
    assert api(vic).post("/api/v1/incidents/", body(), JSON).status_code == 403
    hidden = make_finding(make_service("index", search))
    assert api(alice).patch(url, {"findings": [str(hidden.pk)]}, JSON).status_code == 400


@pytest.mark.parametrize("address", ["/incidents/new/", "/remedies/new/"])
def test_a_viewer_is_given_no_form_that_nothing_can_be_sent_with(
    vic: User, alice: User, signed_in: SignedIn, address: str
) -> None:
    assert [signed_in(user).get(address).status_code for user in (vic, alice)] == [403, 200]


@pytest.mark.parametrize(
    "fields",
    [{"detected_at": "2026-11-02T09:00:00Z"}, {"recovered_at": "2026-11-01T09:00:00Z"}, {"users_affected": "1.5"},
     {"started_at": "2099-01-01T00:00:00Z"}, {"findings": ["999"]}, {"findings": ["x"]}, {"title": ""}],
)  # fmt: skip
def test_what_cannot_be_is_refused(api: Api, alice: User, cause: Finding, fields: dict[str, Any]) -> None:
    assert api(alice).post("/api/v1/incidents/", body(**fields), JSON).status_code == 400
    assert not Incident.objects.exists()


def upload(client: Client, text: str) -> Any:
    return client.post("/incidents/file/", {"file": SimpleUploadedFile("incidents.csv", text.encode())})


def test_a_file_is_read_as_a_whole_and_again_changes_nothing(
    alice: User, bob: User, cause: Finding, signed_in: SignedIn
) -> None:
    client = signed_in(alice)
    text = HEADER + (
        f"checkout,One,2026-11-02T09:30Z,2026-11-02T09:50Z,2026-11-02T10:30Z,20%,yes,#{cause.pk}\n"
        "checkout,Two,2026-11-03T09:30Z,,,,no,\n"
    )
    assert upload(client, text).status_code == 302
    assert "2 new, 0 changed, 0 unchanged" not in client.get("/incidents/").content.decode()  # said once, on the way
    before = list(Incident.objects.values()), AuditEvent.objects.count()
    assert upload(client, text).status_code == 302
    assert "0 new, 0 changed, 2 as before" in client.get("/incidents/").content.decode()
    assert (list(Incident.objects.values()), AuditEvent.objects.count()) == before
    assert upload(client, text.replace("20%", "30%")).status_code == 302
    assert "0 new, 1 changed, 1 as before" in client.get("/incidents/").content.decode()
    wrong = upload(client, text.replace("checkout,Two", "index,Two") + "checkout,Three,2026-11-04T09:30Z,,,,,#999999\n")
    assert wrong.status_code == 422
    assert "Line 3: there is no service “index” that you may see." in wrong.content.decode()
    assert "Line 4: there is no finding #999999 that you may see." in wrong.content.decode()
    backwards = upload(client, HEADER + "checkout,Four,2026-11-02T09:30Z,2026-11-02T09:00Z,,,,\n")
    assert "Line 2: It cannot be detected before it starts." in backwards.content.decode()
    several = "checkout,Four,2026-11-02T09:30Z,2026-11-02T09:00Z,,,,\nindex,Five,yesterday,,,,,#999999\n" + ",x\n" * 60
    told = upload(client, HEADER + several).content.decode()
    for each in (
        "Line 2: It cannot be", "Line 3: started_at:", "Line 3: there is no service", "Line 3: there is no finding",
        "Line 49: 2 cells",
    ):  # fmt: skip
        assert each in told  # all that is wrong at once
    assert "Line 50" not in told
    assert Incident.objects.count() == 2
    assert "checkout" not in upload(signed_in(bob), text).content.decode().partition("Line 2")[0][-200:]


def test_pages_write_show_and_delete(alice: User, vic: User, cause: Finding, signed_in: SignedIn) -> None:
    client = signed_in(alice)
    form = {
        "service": cause.service_id, "title": "Pool ran dry", "started_at": "2026-11-02T09:30",
        "detected_at": "2026-11-02T09:50", "users_affected": "35", "was_alerted": "no", "findings": f"#{cause.pk}",
    }  # fmt: skip
    assert client.post("/incidents/new/", {**form, "findings": "#99"}).status_code == 422
    assert client.post("/incidents/new/", {**form, "detected_at": "2026-11-02T09:00"}).status_code == 422
    assert client.post("/incidents/new/", form).status_code == 302
    incident = Incident.objects.get()
    assert (str(incident.users_affected), incident.was_alerted, incident.was_predicted) == ("0.350000", False, None)
    shown = client.get(f"/incidents/{incident.pk}/").content.decode()
    assert f"#{cause.pk}" in shown
    assert "20 min" in shown
    assert "What it tells of risks" in shown
    assert "1 incident in" in shown
    assert "an alert told of 0 of 1" in shown
    assert 'value="2026-11-02T09:30"' in client.get(f"/incidents/{incident.pk}/edit/").content.decode()
    assert client.post(f"/incidents/{incident.pk}/edit/", {**form, "title": "Drained"}).status_code == 302
    listed = signed_in(vic).get("/incidents/").content.decode()
    assert "Drained" in listed
    assert "New incident" not in listed
    assert client.post(f"/incidents/{incident.pk}/delete/").status_code == 302
    assert not Incident.objects.exists()


@pytest.mark.parametrize("name", ["started_at", "detected_at", "recovered_at"])
@pytest.mark.parametrize("moment", ["2099-01-01T00:00", "1960-01-01T00:00", "0001-01-01T00:00"])
def test_the_form_takes_no_time_that_the_api_and_a_file_would_refuse(
    alice: User, cause: Finding, signed_in: SignedIn, name: str, moment: str
) -> None:
    form = {"service": cause.service_id, "title": "T", "started_at": "2026-11-02T09:30"}
    answer = signed_in(alice).post("/incidents/new/", {**form, name: moment})
    assert answer.status_code == 422
    assert "This time is in the future, or before 1970." in answer.context["form"].errors[name]
    assert not Incident.objects.exists()


def test_a_form_that_was_sent_empty_says_what_it_lacks(alice: User, cause: Finding, signed_in: SignedIn) -> None:
    answer = signed_in(alice).post("/incidents/new/", {})
    assert (answer.status_code, set(answer.context["form"].errors)) == (422, {"service", "title", "started_at"})


def test_the_list_costs_the_same_however_many_there_are(
    alice: User, cause: Finding, signed_in: SignedIn, django_assert_num_queries: Any,
    django_assert_max_num_queries: Any,
) -> None:  # fmt: skip
    def more(title: str) -> None:
        made = Incident.objects.create(service=cause.service, title=title, started_at=datetime(2026, 11, 2, tzinfo=UTC))
        made.findings.add(cause)

    client = signed_in(alice)
    more("One")
    with django_assert_max_num_queries(16) as few:
        client.get("/incidents/")
    more("Two")
    more("Three")
    with django_assert_num_queries(len(few)):
        client.get("/incidents/")


@pytest.mark.parametrize(
    ("wrong", "pointer", "says"),
    [
        ({"detected_at": "2026-11-02T09:00:00Z"}, "/detected_at", "before it starts"),
        ({"recovered_at": "2026-11-02T09:00:00Z"}, "/recovered_at", "before it starts"),
        (
            {"detected_at": "2026-11-02T10:00:00Z", "recovered_at": "2026-11-02T09:40:00Z"}, "/recovered_at",
            "or is detected",
        ),
        ({"started_at": "2026-11-02T09:30:00"}, "/started_at", "zone is missing"),
        ({"title": "Told already"}, "/title", "Change that one"),
    ],
)  # fmt: skip
def test_an_incident_that_cannot_be_is_refused_with_the_field_that_is_wrong_also_when_it_is_changed(
    api: Api, alice: User, checkout: Service, wrong: dict[str, Any], pointer: str, says: str
) -> None:
    api(alice).post("/api/v1/incidents/", body(title="Told already"), JSON)
    mine = api(alice).post("/api/v1/incidents/", body(), JSON).json()
    sent = [
        api(alice).post("/api/v1/incidents/", body(title="Another") | wrong, JSON),
        api(alice).patch(f"/api/v1/incidents/{mine['id']}/", wrong, JSON),
    ]
    for answer in sent:
        assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
        error = answer.json()["errors"][0]
        assert error["pointer"] == pointer
        assert says in error["detail"]
    assert api(alice).get(f"/api/v1/incidents/{mine['id']}/").json() == mine

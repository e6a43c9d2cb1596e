"""Facts at dotted paths."""

import pytest

from platform_risk.quantities.sourced import NOWHERE, Facts, Input, Place, Quantity, Source, Sourced, input_of


def test_a_name_on_the_way_may_have_dots_of_its_own() -> None:
    facts = Facts({"databases": {"aws_db_instance.main": {"max": 5}}})
    found = facts.number("databases.aws_db_instance.main.max")
    assert found is not None
    assert found.value == 5


def test_a_name_of_nothing_but_dots_is_none_of_them() -> None:
    """Each dot may or may not divide: to try all of a hundred thousand would take minutes."""
    assert Facts({"databases": {"main": {"max": 5}}}).get("databases" + "." * 100_000) is None


def test_what_people_said_beside_the_file_wins_and_says_who() -> None:
    facts = Facts({"slo": {"target": 99}}, "platform-risk.yaml", {"slo.target": 2}, {"slo.target": (99.9, "ada")})
    assert facts.get("slo.target") == Sourced(99.9, Source.FACTS, NOWHERE, "ada")
    assert Facts(facts.tree, facts.path, facts.lines).get("slo.target") == Sourced(
        99, Source.FACTS, Place("platform-risk.yaml", 2)
    )
    assert facts.get("slo.window_days") is None
    assert facts.get("other") is None


def test_names_of_a_group_are_those_of_the_file_and_those_that_people_speak_of() -> None:
    said = {"services.web.max_pods": (3, "ada"), "services.a.b.max_pods": (3, "ada"), "slo.target": (1, "ada"),
            "services.lone": (1, "ada")}  # fmt: skip
    facts = Facts({"services": {"api": {"max_pods": 2}}, "slo": 1}, said=said)
    assert facts.names("services") == ["api", "web", "a.b"]
    assert facts.names("slo") == []


@pytest.mark.parametrize(("stated", "number"), [(5, 5), (0.5, 0.5), (True, None), ("5", None), ([5], None)])
def test_a_number_of_the_facts_is_a_number(stated: object, number: float | None) -> None:
    found = Facts({"a": {"b": stated}}).number("a.b")
    assert (found.value if found is not None else None) == number


def test_a_figure_is_told_with_every_input_and_its_place() -> None:
    term = input_of("pods", Sourced(3, Source.FILE, Place("a.yaml", 7), "of the scaler"), "pods")
    shown = {"name": "pods", "value": 3, "unit": "pods", "source": "file", "path": "a.yaml", "line": 7,
             "note": "of the scaler"}  # fmt: skip
    assert term.as_json() == shown
    assert Input("n", 1, "", "assumption").as_json() == {"name": "n", "value": 1, "unit": "", "source": "assumption"}
    figure = Quantity("f", 3, "pods", "pods", (term,), ("a guess",))
    assert figure.as_json() == {
        "name": "f", "value": 3, "unit": "pods", "formula": "pods", "inputs": [shown], "assumptions": ["a guess"],
    }  # fmt: skip
    assert "assumptions" not in Quantity("f", 3, "pods", "pods").as_json()

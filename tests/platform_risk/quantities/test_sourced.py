"""Facts at dotted paths."""

from platform_risk.quantities.sourced import Facts


def test_a_name_on_the_way_may_have_dots_of_its_own() -> None:
    facts = Facts({"databases": {"aws_db_instance.main": {"max": 5}}})
    found = facts.number("databases.aws_db_instance.main.max")
    assert found is not None
    assert found.value == 5


def test_a_name_of_nothing_but_dots_is_none_of_them() -> None:
    """Each dot may or may not divide: to try all of a hundred thousand would take minutes."""
    assert Facts({"databases": {"main": {"max": 5}}}).get("databases" + "." * 100_000) is None

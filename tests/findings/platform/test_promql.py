"""PromQL is read for what an alert looks at; what is none of it is named."""

import pytest

from findings.platform import promql
from findings.platform.promql import NotUnderstood


def test_blanks_and_comments_stand_anywhere_and_mean_nothing() -> None:
    plain = promql.parse('sum(rate(http_requests_total{code="500"}[5m]))>0.5')
    spread = '# errors\n sum ( rate(\n\thttp_requests_total{ code = "500" } [5m]) ) # of all\n > 0.5 # half\n'
    assert promql.parse(spread) == plain


@pytest.mark.parametrize(
    ("text", "odd"),
    [
        ("up == $threshold", "$threshold"),
        ("up # of the job\n $x", "$x"),
        ("  ${x}", "${x}"),
        ('up{job="api', '"api'),
        ("up" + " " * 10_000 + "$" + "x" * 40, "$" + "x" * 19),
    ],
)
def test_what_is_no_promql_is_quoted_from_where_it_begins(text: str, odd: str) -> None:
    with pytest.raises(NotUnderstood, match="is no PromQL") as raised:
        promql.parse(text)
    assert f"“{odd}”" in str(raised.value)


@pytest.mark.parametrize("text", ["", "   ", "# nothing\n", "sum("])
def test_an_expression_that_ends_too_soon_is_not_understood(text: str) -> None:
    with pytest.raises(NotUnderstood, match=r"the end|ends too soon"):
        promql.parse(text)

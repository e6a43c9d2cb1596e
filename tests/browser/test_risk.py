"""From a figure of the overview, click by click, to the inputs it rests on and who says so."""

import re

import pytest

from tests.browser.conftest import Opened, Site

# The tile's figure as it is read out, and the column of the groups behind it
WALKS = {"bad minutes a year": "minutes", "of bad minutes hidden": "minutes", "expected loss a year": "loss"}


@pytest.mark.parametrize("figure", WALKS)
def test_a_figure_is_followed_by_clicks_to_inputs_with_their_sources(opened: Opened, site: Site, figure: str) -> None:
    page = opened()
    page.goto("/")
    tile = page.locator(".kpi a", has=page.locator(".vh", has_text=figure))
    assert re.search(r"\d", tile.inner_text())
    tile.click()
    page.wait_for_url("**/risk/**")
    groups = page.locator("#groups tbody tr")
    first = groups.first
    value = first.locator("td.num").nth(0 if WALKS[figure] == "minutes" else 2)
    assert re.search(r"\d", value.inner_text())
    first.locator("a.t").click()
    page.wait_for_url("**/findings/?**")
    page.locator("#rows tbody tr.item").first.locator("a.t").click()
    page.locator("#detail a", has_text=re.compile("bad minutes a year|a year")).first.click()
    page.wait_for_url("**/findings/*/#risk")
    inputs = page.locator("#risk .inputs-table tbody tr")
    assert inputs.count() >= 1
    for row in inputs.all():
        assert row.locator("td").nth(0).inner_text().strip(), "a value"
        assert re.search("default|measured|stated", row.locator("td").nth(1).inner_text()), "who says so"


def test_an_input_stated_on_a_page_moves_the_figure_and_can_be_taken_back(opened: Opened, site: Site) -> None:
    number = site.get("/findings/?check=db-connections&page_size=1")["results"][0]["number"]
    before = site.get(f"/findings/{number}/")["bad_minutes_per_year"]
    page = opened()
    page.goto(f"/findings/{number}/")
    page.locator("#risk tr", has_text="How often").get_by_role("link", name="State it for this finding").click()
    page.select_option("[name=kind]", "number")
    page.fill("[name=value]", "24")
    page.fill("[name=basis]", "It happens twice a month")
    page.get_by_role("button", name="State it").click()
    page.wait_for_url(f"**/findings/{number}/**")
    row = page.locator("#risk tr", has_text="How often")
    assert "It happens twice a month" in row.inner_text()
    assert "admin" in row.inner_text()
    assert site.get(f"/findings/{number}/")["bad_minutes_per_year"] > before
    row.get_by_role("link", name="Change").click()
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Take it back").click()
    page.wait_for_url(f"**/findings/{number}/**")
    assert "default" in page.locator("#risk tr", has_text="How often").inner_text()
    assert site.get(f"/findings/{number}/")["bad_minutes_per_year"] == before


def test_a_form_of_an_input_shows_the_numbers_that_the_chosen_way_takes(opened: Opened) -> None:
    page = opened()
    page.goto("/risk/inputs/")

    def shown() -> list[str]:
        names = ("value", "lo", "mode", "hi", "incidents", "years")
        return [name for name in names if page.locator(f"#state [name={name}]").is_visible()]

    assert shown() == ["value"]
    page.select_option("#state [name=kind]", "incidents")
    assert shown() == ["incidents", "years"]
    page.select_option("#state [name=name]", "recover")  # of which incidents are no measure
    assert page.input_value("#state [name=kind]") == "number"
    page.select_option("#state [name=kind]", "range")
    assert shown() == ["lo", "mode", "hi"]
    assert "(optional)" not in page.locator("#state .field", has=page.locator("[name=lo]")).inner_text()


@pytest.mark.parametrize("path", ["/", "/risk/exceedance/", "/remedies/"])
def test_on_paper_no_word_of_a_chart_is_cut_off(opened: Opened, path: str) -> None:
    page = opened(width=718, height=1000)  # A4 between its margins: as narrow as a phone to the rules of the screen
    page.goto(path)
    page.emulate_media(media="print")
    cut = page.eval_on_selector_all(
        "main .chart svg text",
        """texts => texts.map(each => [each.textContent, each.getBoundingClientRect()])
        .filter(([, at]) => at.width && (at.left < 0 || at.right > innerWidth)).map(([words]) => words)""",
    )
    words = page.locator("main .chart svg text").count()
    page.emulate_media(media="null")
    assert (cut, words > 3) == ([], True)

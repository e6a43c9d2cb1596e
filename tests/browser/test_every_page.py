"""Every page, in both themes, wide and on a phone: accessible, within the screen, and silent on the console."""

import csv
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import PICTURES, Opened, Site
from tests.platform_risk.pages import shape

# WCAG 2.2 A and AA, and axe's own best practices
AXE: dict[str, Any] = {
    "resultTypes": ["violations"],
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]},
}
# What depends on theme and width. The rest is the same document: it is tried once, and on these pages twice.
LOOKS = ("color-contrast", "target-size", "link-in-text-block", "scrollable-region-focusable")
LOOKED = {**AXE, "runOnly": {"type": "rule", "values": LOOKS}}
TWICE = ("overview", "findings", "finding")
# Their parts and colours make up all pages: light and wide, the others are tried by the drill.
OF_EACH_KIND = (
    "overview",
    "findings",
    "findings-flat",
    "finding",
    "finding-figures",
    "risk",
    "risk-exceedance",
    "risk-lanes",
    "costs",
    "costs-explorer",
    "import",
    "remedies",
    "alert-coverage",
    "review",
    "service",
    "team-edit",
)
# A hundred parts of one make: the first dozen stand for them here, the drill tries all.
ALIKE = {"api-docs": {"exclude": [["section.card:nth-of-type(n+13)"]]}}
PAGES = {
    "overview": "/",
    "findings": "/findings/?q=is:open",
    "findings-flat": "/findings/?q=is:open&view=flat",
    "findings-selected": "/findings/?q=is:open&view=flat&selected={finding}",
    "findings-none": "/findings/?q=nothing-has-this-word",
    "finding": "/findings/{finding}/",
    "finding-decided": "/findings/{dismissed}/",
    "finding-figures": "/findings/{sized}/",
    "finding-new": "/findings/new/",
    "dismiss": "/findings/{finding}/dismiss/",
    "saved-views": "/findings/views/",
    "risk": "/risk/",
    "risk-scatter": "/risk/?unit=money&view=after&chart=scatter",
    "risk-exceedance": "/risk/exceedance/",
    "risk-inputs": "/risk/inputs/",
    "risk-state": "/risk/findings/{sized}/frequency/",
    "risk-lanes": "/risk/lanes/",
    "imports": "/imports/",
    "costs": "/costs/",
    "costs-by-cloud-service": "/costs/?by=cloud_service",
    "costs-explorer": "/costs/explorer/?rows=service&columns=environment",
    "costs-reconciliation": "/costs/reconciliation/",
    "costs-showback": "/costs/showback/",
    "costs-metrics": "/costs/projections/",
    "costs-logs-compared": "/costs/projections/?vector=logs&compare=1&b-retention_days=30",
    "costs-imported": "/costs/projections/?vector=logs&begin=imported",
    "costs-forecast": "/costs/forecast/?group=team",
    "costs-budgets": "/costs/budgets/",
    "costs-prices": "/costs/prices/",
    "import": "/imports/{import}/",
    "import-configuration": "/imports/{configuration}/",
    "import-columns": "/imports/{list}/columns/",
    "remedies": "/remedies/?days=6",
    "remedy": "/remedies/connection-pooling/",
    "remedy-edit": "/remedies/connection-pooling/edit/",
    "alert-coverage": "/alert-coverage/?state=none",
    "incidents": "/incidents/",
    "incident-new": "/incidents/new/",
    "review": "/reviews/",
    "services": "/services/",
    "service": "/services/data-processor/",
    "service-edit": "/services/data-processor/edit/",
    "teams": "/teams/",
    "team": "/teams/ingest/",
    "team-edit": "/teams/ingest/edit/",
    "environments": "/environments/",
    "environment-edit": "/environments/production/edit/",
    "ownership": "/ownership/?test-service=&test-path=infra/main.tf",
    "rule-edit": "/ownership/{rule}/edit/",
    "account": "/account/",
    "users": "/users/",
    "user-edit": "/users/{user}/",
    "audit": "/audit/",
    "api-docs": "/api/docs/",
    "not-found": "/findings/999999999/",
}


AXE_SCRIPT = Axe()


def address(site: Site, name: str) -> str:
    if "{" not in PAGES[name]:
        return PAGES[name]
    if not KNOWN:
        KNOWN.update(_known(site))
    return PAGES[name].format(**KNOWN)


KNOWN: dict[str, Any] = {}


def _known(site: Site) -> dict[str, Any]:
    """One of everything in the demo."""

    def first(path: str) -> str:
        return str(site.get(path)["results"][0]["id"])

    finding = site.get("/findings/?rule=CKV_K8S_9")["results"][0]["number"]
    return {
        "finding": finding,
        "dismissed": site.get("/findings/?status=dismissed")["results"][0]["number"],
        "import": next(row["id"] for row in site.get("/imports/")["results"] if row["counts"]["closed"]),
        "list": next(row["id"] for row in site.get("/imports/")["results"] if row["format"] == "findings-csv"),
        "sized": site.get("/findings/?check=db-connections")["results"][0]["number"],
        "configuration": first("/imports/?kind=platform"),
        "rule": first("/ownership-rules/"),
        "user": next(row["id"] for row in site.get("/users/")["results"] if row["username"] == "lee"),
    }


def check(page: Page, name: str, *, looks: bool = False) -> None:
    """Axe finds nothing, nothing sticks out, nothing is styled inline."""
    options = LOOKED if looks else AXE
    results = AXE_SCRIPT.run(page, context=None if looks else ALIKE.get(name), options=options).response
    found = [f"{each['id']}: {node['html'][:150]}" for each in results["violations"] for node in each["nodes"]]
    assert found == [], name
    width = page.evaluate("document.documentElement.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth") <= width, name
    assert (
        page.locator("[style]:not(.js-plotly-plot, .js-plotly-plot *, #js-plotly-tester, #js-plotly-tester *)").count()
        == 0
    ), name
    assert page.locator("h1").count() == 1, name


# What a manager reads on the way: no table is cut off at its right, to be scrolled aside.
READ_ON_A_PHONE = (
    "overview", "risk", "risk-scatter", "risk-exceedance", "risk-inputs", "remedies", "review", "incidents", "services",
    "service", "team", "findings", "findings-flat", "imports", "users", "audit", "costs", "costs-by-cloud-service",
    "costs-explorer",
    "costs-reconciliation", "costs-showback", "costs-metrics", "costs-logs-compared", "costs-imported",
    "costs-forecast", "costs-budgets", "costs-prices",
)  # fmt: skip
CUT_OFF = (
    ".tw, .tabs",
    """all => all.filter(each => each.scrollWidth > each.clientWidth + 1)
    .map(each => (each.querySelector("caption") ?? each).textContent.trim())""",
)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_accessible_dark_and_on_a_phone(opened: Opened, site: Site, name: str) -> None:
    """And what is read on the way is not scrolled aside there, nor on a tablet held upright or across."""
    page = looked_at(opened, site, name, "dark", 390, 844)
    if name not in READ_ON_A_PHONE:
        return
    page.wait_for_load_state("networkidle")
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    for width in (1440, 1024, 768, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.eval_on_selector_all(CUT_OFF[0], CUT_OFF[1]) == [], width


@pytest.mark.parametrize(
    "name", [name if name in OF_EACH_KIND else pytest.param(name, marks=pytest.mark.drill) for name in PAGES]
)
def test_a_page_is_accessible_light_and_wide(opened: Opened, site: Site, name: str) -> None:
    looked_at(opened, site, name, "light", 1440, 950)


def looked_at(opened: Opened, site: Site, name: str, theme: str, width: int, height: int) -> Page:
    page = opened(width=width, height=height, theme=theme)
    answer = page.goto(address(site, name))
    assert answer is not None
    assert answer.status == (404 if name == "not-found" else 200)
    check(page, name, looks=theme == "light" and name not in TWICE)
    if PICTURES:
        page.screenshot(path=PICTURES / f"{name}-{theme}-{width}.png", full_page=True)
        if (name, theme) == ("overview", "light"):
            page.screenshot(path=PICTURES / "readme.png")  # docs/overview.png
    if name == "not-found":  # the browser itself remarks on the status
        opened.said = [line for line in opened.said if "404" not in line]
    return page


def test_whatever_the_overview_leads_to_answers(opened: Opened) -> None:
    page = opened()
    page.goto("/")
    page.wait_for_load_state("networkidle")
    addresses = page.eval_on_selector_all("main a[href^='/']", "all => all.map(each => each.getAttribute('href'))")
    assert len(addresses) > 40
    # Of many that differ by whose they are alone, such as findings, one says as much as all.
    one_of_each = {shape(address): address for address in addresses}.values()
    answers = {address: page.request.get(address).status for address in one_of_each}
    assert {address: status for address, status in answers.items() if status != 200} == {}


def test_a_chart_is_saved_as_a_picture_by_the_keyboard(opened: Opened) -> None:
    """One that Plotly draws and one of the server; what the policy does not let through, the console would say."""
    for path, name in (
        ("/costs/", "where-it-goes.png"),
        ("/risk/exceedance/", "probability-that-a-year-exceeds-an-amount.png"),
    ):
        page = opened(theme="dark")
        page.goto(path)
        page.locator("button.png").first.focus()
        with page.expect_download() as saved:
            page.keyboard.press("Enter")
        assert saved.value.suggested_filename == name
        picture = saved.value.path().read_bytes()
        assert picture.startswith(b"\x89PNG")
        assert len(picture) > 8_000  # an empty one takes less


def test_a_table_within_a_page_is_saved_as_csv_by_the_keyboard(opened: Opened) -> None:
    """Figures without their separators, one line for each row that is shown."""
    page = opened()
    page.goto("/risk/lanes/")
    page.locator("button.csv").first.focus()
    with page.expect_download() as saved:
        page.keyboard.press("Enter")
    assert saved.value.suggested_filename == "lines-by-figures.csv"
    lines = list(csv.reader(saved.value.path().read_text(encoding="utf-8").splitlines()))
    shown = page.locator("table[data-csv]").first.locator("tr")
    assert len(lines) == shown.count() > 1
    assert len({len(line) for line in lines}) == 1


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_way_in_is_accessible_and_says_what_is_wrong(opened: Opened, theme: str) -> None:
    page = opened(theme=theme, signed_in=False, width=390, height=844)
    page.goto("/findings/")
    assert page.url.endswith("/sign-in/?next=/findings/")
    check(page, "sign-in")
    page.fill("[name=username]", "admin")
    page.fill("[name=password]", "wrong")
    page.click("main button[type=submit]")
    assert "wrong" in page.inner_text("main")
    check(page, "sign-in refused")


def test_without_colour_preference_the_button_changes_the_theme_and_it_is_kept(opened: Opened) -> None:
    page = opened(theme="light")
    page.goto("/")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.click("#theme")
    dark = page.evaluate(ground)
    assert dark != light
    page.goto("/imports/")
    assert page.evaluate(ground) == dark

"""A newcomer's first quarter of an hour, in a real browser: sign in, own, dismiss, drop a newer report, look at it."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import ROOT, Opened, Site

DEMO = ROOT / "demo"


def test_the_first_quarter_of_an_hour(opened: Opened, site: Site) -> None:
    page = opened(signed_in=False)
    page.goto("/findings/?q=is:open+service:data-collector")
    page.fill("[name=username]", "admin")
    page.fill("[name=password]", site.password)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Findings")
    page.wait_for_load_state()

    # An owner, by keyboard alone: a, Enter.
    page.keyboard.press("j")
    first = page.locator("tr.cur")
    expect(first).to_have_count(1)
    number = int(first.get_attribute("data-number") or "0")
    page.keyboard.press("a")
    expect(page.locator("#decision [name=owner]")).to_be_focused()
    page.click("#decision button[type=submit]")
    expect(page.locator("#toasts")).to_contain_text("assign, done")
    assert site.get(f"/findings/{number}/")["owner"] == "admin"

    # Another one dismissed, for a reason; the list follows, and so do the counts.
    matching = int(page.locator("#matching").inner_text().split()[0])
    beside = page.locator("#side nav .n").first
    opened_before = int(beside.inner_text().split()[0])
    page.keyboard.press("j")
    row = page.locator("tr.cur")
    dismissed = int(row.get_attribute("data-number") or "0")
    assert dismissed != number
    page.keyboard.press("d")
    page.select_option("#decision [name=reason]", "not_applicable")
    page.fill("#decision [name=comment]", "There is nothing to mount.")
    page.click("#decision button[type=submit]")
    expect(page.locator(f"#rows tr[data-number='{dismissed}']")).to_have_count(0)
    assert site.get(f"/findings/{dismissed}/")["status"] == "dismissed"
    expect(page.locator("#matching")).to_contain_text(f"{matching - 1} finding")
    expect(beside).to_contain_text(str(opened_before - 1))

    # Undo from the toast brings it back.
    page.locator("#toasts .message", has_text="dismiss").get_by_role("button", name="Undo").click()
    expect(page.locator(f"#rows tr[data-number='{dismissed}']")).to_have_count(1)
    expect(page.locator("#matching")).to_contain_text(f"{matching} finding")

    # A newer report, dropped on the page of imports.
    page.goto("/imports/")
    page.fill("[name=service]", "data-collector")
    page.fill("[name=environment]", "production")
    content = (DEMO / "scans" / "newer" / "data-collector.json").read_text(encoding="utf-8")
    transfer = page.evaluate_handle(
        """(content) => { const data = new DataTransfer();
        data.items.add(new File([content], "newer.json", {type: "application/json"})); return data; }""",
        content,
    )
    page.dispatch_event("#drop", "drop", {"dataTransfer": transfer})
    expect(page.locator("#files li a")).to_have_text(re.compile(r"Import \d+"))
    row_ = site.get("/imports/")["results"][0]
    expect(page.locator(f"#import-{row_['id']}")).to_contain_text("Done")
    page.click("#files li a")
    expect(page.locator("h1")).to_have_text("newer.json")
    page.get_by_role("link", name=re.compile("^Closed")).click()
    expect(page.locator("table").first).to_contain_text("Fixed")
    assert site.get(f"/imports/{row_['id']}/")["counts"]["closed"] > 0


def test_a_selection_is_snoozed_from_the_bar(opened: Opened) -> None:
    page = opened()
    page.goto("/findings/?q=is:open+service:cell-router&view=flat")
    boxes = page.locator("#rows tbody input[type=checkbox]")
    boxes.nth(0).click()
    boxes.nth(3).click(modifiers=["Shift"])
    expect(page.locator("#selected")).to_have_text("4")
    page.click("#bulk [data-verb=snooze]")
    expect(page.locator("#decision")).to_contain_text("4 findings")
    page.click("#decision button[type=submit]")
    expect(page.locator("#toasts")).to_contain_text("4 of 4 findings")
    page.locator("#toasts").get_by_role("button", name="Undo").click()
    expect(page.locator("#toasts")).to_contain_text("Taken back for 4 findings")


def test_a_group_expands_and_its_finding_opens_beside_the_list_with_its_own_address(opened: Opened) -> None:
    page = opened()
    page.goto("/findings/?q=service:data-processor")
    page.locator("[data-expand]").first.click()
    sub = page.locator("tr.sub a.t").first
    sub.click()
    expect(page.locator("#detail h2").first).to_be_visible()
    assert "selected=" in page.url
    page.reload()
    expect(page.locator("#detail h2").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#detail")).to_be_hidden()
    assert "selected=" not in page.url


def test_keys_and_their_help_work_and_can_be_switched_off(opened: Opened) -> None:
    page = opened()
    page.goto("/findings/")
    page.keyboard.press("?")
    expect(page.locator("#shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.press("Escape")
    page.goto("/account/")
    page.uncheck("[name=shortcuts]")
    page.locator("form", has=page.locator("[name=shortcuts]")).get_by_role("button").click()
    page.goto("/findings/")
    page.keyboard.press("j")
    page.keyboard.press("?")
    expect(page.locator("#shortcuts")).to_be_hidden()
    expect(page.locator("tr.cur")).to_have_count(0)
    page.goto("/account/")
    page.check("[name=shortcuts]")
    page.locator("form", has=page.locator("[name=shortcuts]")).get_by_role("button").click()


def test_files_that_are_refused_say_why_and_the_others_go_on(opened: Opened, site: Site, tmp_path: Path) -> None:
    page = opened()
    page.goto("/imports/")
    page.fill("[name=service]", "cell-router")
    empty, fine = tmp_path / "empty.sarif", tmp_path / "fine.csv"
    empty.write_bytes(b"")
    fine.write_text("title,severity,file\nThe router has no limits,high,router.yaml\n")
    page.set_input_files("#file", [empty, fine])
    page.click("#upload button[type=submit]")
    expect(page.locator("#files li").nth(0)).to_contain_text("The file is empty.")
    expect(page.locator("#files li a")).to_have_count(1)
    expect(page.locator("#import-rows tr", has_text="fine.csv")).to_contain_text("Done")


def platform_folder(tmp_path: Path) -> Path:
    """More files than a form may carry, with what is not read, and a name that a header of tar has no room for."""
    folder = tmp_path / "folded"
    deep = folder / "/".join(["deep" * 8] * 5)
    deep.mkdir(parents=True)
    (folder / ".git").mkdir()
    (folder / ".git" / "config.yaml").write_text("kind: Deployment\n")
    for number in range(120):
        (folder / f"notes-{number}.yaml").write_text(f"a: {number}\n")
    (deep / "ecr.tf").write_text('resource "aws_ecr_repository" "folded" {\n  name = "folded"\n}\n')
    (folder / "empty.yaml").write_text("")
    return folder


def test_a_folder_is_chosen_and_handed_in_as_one(opened: Opened, site: Site, tmp_path: Path) -> None:
    page = opened()
    page.goto("/imports/")
    page.fill("[name=service]", "folded-by-choice")
    page.set_input_files("#folder", platform_folder(tmp_path))
    page.click("#upload button[type=submit]")
    expect(page.locator("#files li a")).to_have_text(re.compile(r"Import \d+"))
    newest = site.get("/imports/")["results"][0]
    expect(page.locator(f"#import-{newest['id']}")).to_contain_text("Done")
    (found,) = site.get("/findings/?service=folded-by-choice")["results"]
    assert found["location"]["path"].endswith("/ecr.tf")
    assert found["location"]["path"].startswith("deepdeep")  # from the folder on, as the command line tells it


def dropped(page: Page, *paths: Path) -> None:
    """Dragged from the desktop onto the page, as one."""
    box = page.locator("#drop").bounding_box()
    assert box is not None
    chromium = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        place = {"x": box["x"] + 20, "y": box["y"] + 20}
        chromium.send("Input.dispatchDragEvent", {"type": kind, "data": data, **place})


def test_a_folder_is_dropped_and_waits_for_its_service(opened: Opened, site: Site, tmp_path: Path) -> None:
    page = opened()
    page.goto("/imports/")
    dropped(page, platform_folder(tmp_path))
    expect(page.locator("#held")).to_have_text("122 files are waiting.")
    page.fill("[name=service]", "folded-by-drop")
    page.click("#upload button[type=submit]")
    expect(page.locator("#files li a")).to_have_text(re.compile(r"Import \d+"))
    newest = site.get("/imports/")["results"][0]
    expect(page.locator(f"#import-{newest['id']}")).to_contain_text("Done")
    assert len(site.get("/findings/?service=folded-by-drop")["results"]) == 1
    expect(page.locator("#held")).to_have_text("")


def test_two_folders_that_are_dropped_together_are_one_platform(opened: Opened, site: Site, tmp_path: Path) -> None:
    for name in ("orders", "payments"):
        (tmp_path / name).mkdir()
        repository = f'resource "aws_ecr_repository" "{name}" {{\n  name = "{name}"\n}}\n'
        (tmp_path / name / "main.tf").write_text(repository)
    page = opened()
    page.goto("/imports/")
    page.fill("[name=service]", "folded-in-two")
    dropped(page, tmp_path / "orders", tmp_path / "payments")
    expect(page.locator("#files li a")).to_have_text(re.compile(r"Import \d+"))
    newest = site.get("/imports/")["results"][0]
    expect(page.locator(f"#import-{newest['id']}")).to_contain_text("Done")
    found = site.get("/findings/?service=folded-in-two")["results"]
    assert sorted(each["location"]["path"] for each in found) == ["orders/main.tf", "payments/main.tf"]

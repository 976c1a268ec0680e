"""A list brought by a browser: looked at first, then taken in; and a person erased after typing the address."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from tests.pages.conftest import Site
from tests.servers.browser import Visit, assert_accessible


def test_a_list_is_looked_at_and_taken_in(site: Site, inside: Callable[..., Visit], tmp_path: Path) -> None:
    lines = ["address,category,reason,why", *(f"brought{n}@other.example,hard,mailbox_unknown,old" for n in range(3))]
    (tmp_path / "old list.csv").write_text("\n".join([*lines, "nobody,hard,mailbox_unknown,=1+1"]) + "\n")
    page = inside().go("/suppressions")
    page.get_by_role("link", name="Import").click()
    page.get_by_label("File").set_input_files(tmp_path / "old list.csv")
    page.get_by_role("button", name="Look at it first").click()

    expect(page.get_by_text("1 line is refused.")).to_be_visible()
    expect(page.get_by_role("button", name="Take in")).to_have_count(0)
    page.get_by_label("File").set_input_files(tmp_path / "old list.csv")
    page.get_by_label("leave out lines").check()
    page.get_by_role("button", name="Look at it first").click()
    assert_accessible(page)
    assert site.ask("/v1/suppressions/brought1@other.example")["suppressed"] is False
    page.get_by_role("button", name="Take in 3 entries").click()

    expect(page.get_by_role("status")).to_contain_text("old list.csv: 3 entries taken in")
    expect(page.get_by_role("heading", name="3 entries are meant")).to_be_visible()
    told = site.ask("/v1/suppressions/brought1@other.example")["suppression"]
    assert told["actor"].startswith("import old list.csv by page:mo")


def test_a_person_is_erased_after_typing_the_address(site: Site, inside: Callable[..., Visit]) -> None:
    name = "forget.me@person.example"
    page = inside().go(f"/address?address={name}")
    page.get_by_label("Why, for whoever asks later").fill("asked on the phone")
    page.get_by_role("button", name="Suppress").click()
    page.get_by_role("link", name="Erase the person").click()
    expect(page.get_by_role("listitem").filter(has_text="suppressions go")).to_contain_text("1")
    assert_accessible(page)
    page.get_by_label("Why").fill("asked by letter")
    page.get_by_label("Type the address once more").fill(name)
    page.get_by_role("button", name="Erase for good").click()

    expect(page.get_by_role("status")).to_contain_text("1 lines of the journal")
    assert site.store.held_on(name) == {}

"""The portal without a mouse, without scripts, on a phone, and for who cannot see it."""

import asyncio
import re
import time

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import FileChooser, Page, expect

from tests.browser.steps import FORM, PDF, TYPES, fill_in, move, row, send
from tests.fixtures.desk import Desk
from tests.fixtures.portal import PASSWORD, STAFF, Account, PortalUnderTest, Visit, Visitor

# The viewer of a letter takes the focus, and each Tab, while it comes up: seconds on a busy machine.
PATIENCE = 20


async def assert_accessible(visitor: Visitor) -> None:
    """Axe finds nothing wrong with the page that is open."""
    # Frames are the browser's own viewer of PDFs.
    found = await Axe().run(visitor.page, options={"resultTypes": ["violations"], "iframes": False})
    assert found.violations_count == 0, f"{visitor.page.url}\n{found.generate_report()}"


async def test_axe_finds_no_violation_on_any_page(visit: Visit, producer_account: Account) -> None:
    """Each page, with errors, with tickets and empty, passes all rules of axe."""
    producer, staff = await visit(), await visit()
    for path in ("/login", "/forgot-user-id", "/forgot-password", "/new-password?word=none"):
        await producer.open(path)
        await assert_accessible(producer)
    await producer.log_in(producer_account)
    for path in ("/", *(f"/assistance/{name}" for name in ("", *TYPES)), "/tickets", "/nowhere"):
        await producer.open(path.removesuffix("/") or "/")
        await assert_accessible(producer)
    await producer.open(FORM)
    await producer.page.get_by_role("button", name="Submit").click()
    await expect(producer.page.locator("#problem")).to_be_visible()
    await assert_accessible(producer)
    number = await send(producer.page)
    await assert_accessible(producer)
    await producer.open(f"/tickets/{number}")
    await producer.page.get_by_text("Withdraw this request").click()
    await assert_accessible(producer)
    await staff.log_in(STAFF, "/desk?search=SR-00000001-9")
    await expect(staff.page.locator("#problem")).to_be_visible()
    await assert_accessible(staff)
    await staff.open(f"/desk/{number}")
    await staff.page.get_by_role("button", name="Claim").click()
    await expect(staff.page.locator("#assignment")).to_contain_text(STAFF.name)
    await move(staff.page, "on-hold")
    await expect(staff.page.locator("#problem")).to_be_visible()
    await assert_accessible(staff)


async def test_axe_finds_no_violation_on_the_way_to_a_new_password(
    visit: Visit, portal: PortalUnderTest, desk: Desk
) -> None:
    """The form behind the mailed link and the page after it pass all rules."""
    visitor, account = await visit(), portal.newcomer()
    page = visitor.page
    await visitor.open("/forgot-password")
    await page.get_by_label("User ID").fill(account.user_id)
    await page.get_by_role("button", name="Email me a link").click()
    [mail] = desk.mails(account.email)
    link = re.search(rf"{visitor.url}(/new-password\?word=\S+)", mail.get_content())
    assert link
    await visitor.open(link[1])
    await assert_accessible(visitor)
    await page.get_by_label("New password").fill("another-good-passphrase")
    await page.get_by_role("button", name="Set the password").click()
    await expect(page.locator("h1")).to_have_text("Password Changed")
    await assert_accessible(visitor)


async def tab_to(page: Page, name: str) -> None:
    """Press Tab until the element with this name has the focus, which must be seen there."""
    await page.wait_for_load_state()
    reached = []
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        await page.keyboard.press("Tab")
        focused = page.locator(":focus")
        reached.append((await focused.aria_snapshot()).partition("\n")[0] if await focused.count() else "a frame")
        if name in reached[-1]:
            assert await focused.evaluate("element => getComputedStyle(element).outlineStyle") != "none"
            return
    raise AssertionError(f"{name} cannot be reached with Tab, but {reached} can")


async def test_a_request_is_sent_with_the_keyboard_alone(visit: Visit, producer_account: Account) -> None:
    """From login to ticket with keys only; the focus is always seen, and after sending it is at the answer."""
    visitor = await visit()
    page = visitor.page
    # From the start: a browser that is not told in time opens a dialog that nobody sees.
    chooser: asyncio.Future[FileChooser] = asyncio.get_running_loop().create_future()
    page.once("filechooser", lambda opened: chooser.set_result(opened))  # noqa: PLW0108  # no C function will do
    await visitor.open()
    await tab_to(page, "User ID")
    await page.keyboard.type(producer_account.user_id)
    await tab_to(page, "Password")
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_contain_text("Welcome")
    await tab_to(page, "Skip to content")
    await page.keyboard.press("Enter")
    await tab_to(page, "Request Assistance")
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_have_text("Request Assistance")
    await tab_to(page, "Producer of Record")
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_have_text("Group Producer of Record Change")
    await tab_to(page, "Line of Business")
    await page.keyboard.type("Group medical")
    await tab_to(page, "Account Number")
    await page.keyboard.type("041872")
    await tab_to(page, "Account Name")
    await page.keyboard.type("Harbor & Pine")
    await tab_to(page, "POR Documentation")
    await page.keyboard.press("Enter")
    await (await asyncio.wait_for(chooser, 10)).set_files([PDF])
    await tab_to(page, "Submit")
    await page.keyboard.press("Enter")
    await expect(page.locator("#sent")).to_be_focused()


async def test_staff_works_with_the_keyboard_alone(visit: Visit, producer_account: Account) -> None:
    """From the queue to a moved ticket with keys only."""
    producer, staff = await visit(), await visit()
    await producer.log_in(producer_account, FORM)
    number = await send(producer.page)
    page = staff.page
    await staff.log_in(STAFF)
    await tab_to(page, "Number")
    await page.keyboard.type(number)
    await page.keyboard.press("Enter")
    await expect(page.locator("#tickets")).to_contain_text("Showing 1 - 1 of 1")
    await tab_to(page, f'link "{number}"')
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_contain_text(number)
    await tab_to(page, "Claim")
    await page.keyboard.press("Enter")
    await expect(page.locator("#assignment")).to_contain_text(STAFF.name)
    await tab_to(page, "New status")
    await page.keyboard.type("In review")
    await tab_to(page, 'button "Move"')
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_contain_text("In review")


async def test_a_phone_without_scripts_is_enough(visit: Visit, producer_account: Account) -> None:
    """At phone width and without JavaScript everything is there, and no page is wider than the phone."""
    visitor = await visit(is_phone=True, has_scripts=False)
    page = visitor.page
    await visitor.log_in(producer_account)
    await assert_fits(page)
    await page.locator("main").get_by_role("link", name="Request Assistance").click()
    await expect(page.locator("h1")).to_have_text("Request Assistance")
    await assert_fits(page)
    await page.locator(f'.menu a[href="{FORM}"]').click()
    await fill_in(page)
    await page.get_by_label("POR Documentation").set_input_files([PDF])
    await page.get_by_role("button", name="Submit").click()
    number = await page.locator("#sent a").inner_text()
    await assert_fits(page)
    head = page.get_by_role("columnheader", name="Status")
    await head.get_by_role("link").click()
    await expect(head).to_have_attribute("aria-sort", re.compile("ending"))
    await row(page, number).get_by_role("link").click()
    await expect(page.locator("h1")).to_contain_text(number)
    await assert_fits(page)
    await page.get_by_role("button", name="Log Out").click()
    await expect(page.locator("h1")).to_have_text("Log In")
    for path in ("/desk", f"/desk/{number}"):
        await (visitor.log_in(STAFF, path) if path == "/desk" else visitor.open(path))
        await assert_fits(page)


async def assert_fits(page: Page) -> None:
    """Nobody needs to scroll sideways; a table that is wider scrolls within itself."""
    await page.wait_for_load_state()
    beyond = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert beyond <= 0, page.url

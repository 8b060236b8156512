"""What the portal hands on of the desk's stream: all of it, from where a page was."""

import httpx

from tests.fixtures.desk import Desk, Producer
from tests.fixtures.live import Ear
from tests.fixtures.portal import PASSWORD, Account, PortalUnderTest
from tests.fixtures.wait import eventually


def signed_in(portal: PortalUnderTest, account: Account) -> dict[str, str]:
    """The cookie of somebody who has logged in."""
    form = {"user_id": account.user_id, "password": PASSWORD}
    with httpx.Client(base_url=portal.url, headers={"Origin": portal.url}, trust_env=False) as browser:
        assert browser.post("/login", data=form).status_code == httpx.codes.SEE_OTHER
        return {"Cookie": f"session={browser.cookies['session']}"}


def test_a_page_that_comes_back_hears_what_it_missed(
    desk: Desk, portal: PortalUnderTest, producer_account: Account
) -> None:
    """After a break a page takes the stream up by the last id it heard, through the portal too."""
    mine = signed_in(portal, producer_account)
    producer_id = producer_account.producer_id or ""
    token = desk.mint.producer(producer_id, email=producer_account.email)
    number = Producer(producer_id, token, desk.anybody(token)).open_ticket()
    with Ear(f"{portal.url}/live", mine) as first:
        assert first.response.headers["x-accel-buffering"] == "no"
    desk.staff.move(number, "in-review")
    with Ear(f"{portal.url}/live", mine, first.last_id) as again:
        [missed] = eventually(lambda: [each for each in again.about(number) if each.data["sequence"] == "2"])
    assert missed.data["data"]["status"] == "in-review"

"""What happens, as it happens: the event stream through the gateway, in time, without loss, and to nobody else."""

import time
from uuid import uuid4

import httpx
import pytest

from tests.fixtures.desk import EMAIL, Desk, Producer
from tests.fixtures.live import Ear
from tests.fixtures.wait import eventually


def ear(desk: Desk, token: str, last_id: str | None = None) -> Ear:
    """Somebody who listens at the gateway."""
    return Ear(f"{desk.url}/v1/tickets/stream", {"Authorization": f"Bearer {token}"}, last_id)


def test_a_change_is_heard_within_a_second(desk: Desk, producer: Producer) -> None:
    """Nobody waits for a poll or a sweep; of several changes, for the machine may be busy with one."""
    waited: list[float] = []
    with ear(desk, producer.token) as listening:
        number = producer.open_ticket()
        for status in ("in-review", "on-hold", "in-review", "on-hold", "in-review"):
            began = time.time()
            more = {"reason": "other"} if status == "on-hold" else {}
            assert desk.staff.move(number, status, **more).status_code == 200
            heard = eventually(lambda: listening.about(number)[len(waited) + 1 :])  # after its opening
            waited.append(heard[0].at - began)
    assert min(waited) < 1


def test_a_change_is_heard_by_who_may_know(desk: Desk, producer: Producer) -> None:
    """The owner and staff hear each change; another producer hears nothing, and the owner no inner act."""
    stranger = desk.producer()
    staff = desk.mint.staff()
    with ear(desk, producer.token) as mine, ear(desk, staff) as all_, ear(desk, stranger.token) as other:
        number = producer.open_ticket()
        assert desk.staff.act(number, "claim").status_code == 200
        assert desk.staff.move(number, "in-review").status_code == 200
        heard = eventually(lambda: mine.about(number), lambda found: len(found) == 2)
        assert [each.kind for each in heard] == ["ticket.opened", "ticket.status-changed"]
        assert heard[1].data["data"]["status"] == "in-review"
        theirs = eventually(lambda: all_.about(number), lambda found: len(found) == 3)
        assert [each.data["sequence"] for each in theirs] == ["1", "2", "3"]
        foreign = stranger.open_ticket()
        eventually(lambda: other.about(foreign))
        assert other.about(number) == []
        assert mine.about(foreign) == []


def test_who_comes_back_hears_what_he_missed(desk: Desk, producer: Producer) -> None:
    """With the last id that was heard, all that came since comes, in order and without a hole, and then the rest."""
    with ear(desk, producer.token) as first:
        number = producer.open_ticket()
        eventually(lambda: first.about(number))
    desk.staff.move(number, "in-review")
    desk.staff.move(number, "on-hold", reason="other")
    with ear(desk, producer.token, first.last_id) as again:
        desk.staff.move(number, "in-review")
        heard = eventually(lambda: again.about(number), lambda found: found[-1:] and found[-1].data["sequence"] == "4")
        sequences = [each.data["sequence"] for each in heard]
        assert sequences[-3:] == ["2", "3", "4"]
        assert "reload" not in {each.kind for each in again.heard}
        assert {each.data["subject"] for each in again.heard if "subject" in each.data} == {number}


@pytest.mark.parametrize("last_id", ["e1", "effffffff", "no id of ours", "e-1"])
def test_an_id_that_cannot_be_taken_up_says_so(desk: Desk, producer: Producer, last_id: str) -> None:
    """From an id of another log, or of none, a listener is told to read anew, or hears all there is; then goes on."""
    with ear(desk, producer.token, last_id) as listening:
        kinds = [each.kind for each in listening.heard]
        assert kinds[-1] == "ready"
        assert last_id == "e1" or "reload" in kinds
        number = producer.open_ticket()
        eventually(lambda: listening.about(number))


def test_a_stream_ends_with_its_token(desk: Desk) -> None:
    """Who listened with a token hears no more when it is over, and is refused with it then."""
    producer_id = f"P{uuid4().hex[:10]}"
    token = desk.mint.token(
        sub=producer_id, producer_id=producer_id, email=EMAIL, scope="tickets:read", exp=int(time.time()) + 2
    )
    with ear(desk, token) as listening:
        eventually(lambda: listening.ended, patience=6)
    assert listening.ended == "end"


def test_nobody_listens_without_a_token(desk: Desk) -> None:
    """The stream is refused like every other route, as a problem document."""
    answer = httpx.get(f"{desk.url}/v1/tickets/stream", trust_env=False)
    assert (answer.status_code, answer.json()["type"]) == (401, "urn:por-desk:problem:missing-token")
    nobody = desk.anybody(desk.mint.token(sub="x", scope="requests:write", producer_id="P1"))
    assert nobody.http.get("/v1/tickets/stream").status_code == 403


@pytest.mark.parametrize("service", ["intake", "tickets"])
def test_a_service_that_stops_waits_for_no_listener(desk: Desk, producer: Producer, service: str) -> None:
    """On SIGTERM the streams end by themselves, the service is gone in seconds, and nothing is lost to who returns."""
    number = producer.open_ticket()
    with ear(desk, producer.token) as listening:
        began = time.monotonic()
        desk.stack[service].stop()
        seconds = time.monotonic() - began
        eventually(lambda: listening.ended)
    desk.restart(service)
    assert seconds < 9  # after ten it would be killed
    assert listening.ended == "end"
    assert desk.staff.move(number, "in-review").status_code == 200
    with ear(desk, producer.token, listening.last_id) as again:
        eventually(lambda: [each for each in again.about(number) if each.data["sequence"] == "2"])

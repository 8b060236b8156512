"""Mails in real SMTP conversations: over few connections, with a verdict on each failure, and once per event."""

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from pydantic import SecretStr

from services.notifier.ledger import CALL_SECONDS
from shared import topology
from shared.runtime.failures import Away, Permanent, Transient
from tests.builders import PRODUCER, REQUEST_ID, moved, opened
from tests.fixtures.broker import DELAYS
from tests.fixtures.mail_server import Server
from tests.fixtures.post import LONG, Post, mailing
from tests.fixtures.proxy import door
from tests.fixtures.wait import eventually_async


async def test_a_connection_is_kept_for_the_next_mail(server: Server) -> None:
    """Three mails one after the other go over one connection, which ends with the mailer."""
    async with mailing(server) as mailer:
        for _ in range(3):
            await mailer.send(mailer.write(opened(), PRODUCER))
        assert (len(server.mails), server.connections, len(server.open)) == (3, 1, 1)
    await eventually_async(server.nobody_is_connected)


async def test_a_connection_that_the_server_closed_is_opened_again(server: Server) -> None:
    """A server may hang up between two mails: the second goes out all the same."""
    async with mailing(server) as mailer:
        for _ in range(2):
            await mailer.send(mailer.write(opened(), PRODUCER))
            server.hang_up()
            await eventually_async(server.nobody_is_connected)
    assert (len(server.mails), server.connections) == (2, 2)


@pytest.mark.parametrize(
    ("verb", "reply", "failure"),
    [
        ("RCPT", "550 5.1.1 No such user", Permanent("smtp-550")),
        ("RCPT", "450 4.2.0 Greylisted", Transient("smtp-450")),
        ("DATA", "554 5.6.0 Not this mail", Permanent("smtp-554")),
        ("DATA", "452 4.3.1 Disk full", Transient("smtp-452")),
        ("DATA", "421 4.3.2 Shutting down", Away("smtp-421")),
        ("MAIL", "550 5.7.1 Not this sender", Away("smtp-550")),
        ("MAIL", "530 5.7.0 Authentication required", Away("smtp-530")),
        ("greeting", "554 5.3.2 Not now", Away("smtp-554")),
        ("greeting", "421 4.3.2 Too busy", Away("smtp-421")),
    ],
)
async def test_only_an_answer_to_this_mail_is_final(
    server: Server, verb: str, reply: str, failure: Permanent | Transient
) -> None:
    """5xx to the recipient or the mail parks it; what is said to us, and so to every mail, is an outage."""
    server.replies[verb] = [reply]
    async with mailing(server) as mailer:
        with pytest.raises(type(failure)) as raised:
            await mailer.send(mailer.write(opened(), PRODUCER))
        assert (type(raised.value), str(raised.value)) == (type(failure), failure.reason)
        await eventually_async(server.nobody_is_connected)
        await mailer.send(mailer.write(opened(), PRODUCER))
    assert len(server.mails) == 1


async def test_a_wrong_password_parks_no_mail(server: Server) -> None:
    """A login that is refused is no mail's fault: it is an outage, and the connection is closed."""
    async with mailing(server, smtp_username="desk", smtp_password=SecretStr("wrong")) as mailer:
        with pytest.raises(Away, match="smtp-535"):
            await mailer.send(mailer.write(opened(), PRODUCER))
        await eventually_async(server.nobody_is_connected)


async def test_nothing_is_sent_in_the_clear_where_starttls_is_asked_for(server: Server) -> None:
    """A server without STARTTLS hears neither login nor mail."""
    server.replies["MAIL"] = ["250 a mail came in the clear"]
    async with mailing(server, smtp_starttls=True, smtp_username="desk", smtp_password=SecretStr("secret")) as mailer:
        with pytest.raises(Away, match="smtp-away"):
            await mailer.send(mailer.write(opened(), PRODUCER))
        await eventually_async(server.nobody_is_connected)
    assert (server.connections, server.mails, len(server.replies["MAIL"])) == (1, [], 1)


async def test_a_server_that_is_not_there_is_away() -> None:
    """Where nobody listens the mail is tried again."""
    async with mailing(Server(), smtp_port=1) as mailer:
        with pytest.raises(Away, match="smtp-away"):
            await mailer.send(mailer.write(opened(), PRODUCER))


async def test_the_whole_sending_is_bounded(server: Server) -> None:
    """A server that answers each command in time, but all of them too slowly, is away, and the connection is closed."""
    server.pause = 0.4
    async with mailing(server, smtp_timeout=1.0) as mailer:
        with pytest.raises(Away, match="smtp-away"):
            await mailer.send(mailer.write(opened(), PRODUCER))
        await eventually_async(server.nobody_is_connected)


async def test_a_sending_that_is_cancelled_closes_its_connection(server: Server) -> None:
    """Where notifier stops in the middle of a mail, no connection stays."""
    server.pause = 60
    async with mailing(server) as mailer:
        sending = asyncio.create_task(mailer.send(mailer.write(opened(), PRODUCER)))

        async def is_connected() -> bool:
            return bool(server.open)

        await eventually_async(is_connected)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        await eventually_async(server.nobody_is_connected)


async def test_copies_of_one_event_at_once_send_one_mail(post: Post) -> None:
    """Two notifiers get an event six times at once: one mail goes out, and a copy that waits for it has not failed."""
    post.server.pause = sum(DELAYS) / 2  # three pauses: were waiting an attempt, it would end in the parking lot
    async with AsyncExitStack() as running:
        buses = [await running.enter_async_context(post.notifier()) for _ in range(2)]
        for _ in range(6):
            await buses[0].publish(opened())
        await eventually_async(post.server.has_mails)
        await eventually_async(post.is_idle)
    assert len(post.server.mails) == 1
    assert await post.vhost.count(topology.PARKING) == 0


async def test_mail_under_way_when_the_broker_hangs_up_is_sent_once(post: Post) -> None:
    """The broker closes its connections before the server's 250: the event comes again, and its mail does not."""
    post.server.silence = 1.0
    async with post.vhost.door() as (way, url), post.notifier(url=url) as bus:
        await bus.publish(opened())
        await eventually_async(post.server.has_mails)
        way.cut()
        await eventually_async(bus.ready)
        await asyncio.sleep(2 * post.server.silence)  # time for the second mail that must not come
        await eventually_async(post.is_idle)
    assert len(post.server.mails) == 1


async def test_mail_whose_note_must_wait_for_the_database_is_sent_once(post: Post) -> None:
    """The database is away when the server takes the mail, and back while the claim holds: no second mail goes out."""
    claim, outage = timedelta(seconds=9), CALL_SECONDS + 1.0  # longer than one call tries
    address = urlsplit(post.mongodb.url)
    post.server.silence = 0.5
    async with door(address.hostname or "", address.port or 0) as way:
        ledger = post.ledger(claim, f"mongodb://127.0.0.1:{way.port}/?directConnection=true")
        async with post.notifier(ledger=ledger) as bus:
            await bus.publish(opened())
            await eventually_async(post.server.has_mails)
            await way.shut()
            await asyncio.sleep(post.server.silence + outage)
            await way.open()
            await asyncio.sleep(claim.total_seconds())
            await eventually_async(post.is_idle)
    assert len(post.server.mails) == 1
    assert await post.vhost.count(topology.PARKING) == 0


async def test_mail_whose_sender_died_goes_out(post: Post) -> None:
    """A notifier that died left a claim: another waits until it has run out, and sends the mail."""
    dead = post.ledger(timedelta(seconds=5))
    assert await dead.begin(REQUEST_ID, opened().id)
    async with post.notifier() as bus:
        await bus.publish(opened())
        await asyncio.sleep(0.5)
        assert post.server.mails == []
        await eventually_async(post.server.has_mails)
        await eventually_async(post.is_idle)
    dead.close()
    assert len(post.server.mails) == 1


async def test_waiting_for_a_dead_senders_claim_counts_no_death(post: Post) -> None:
    """Notifiers that die one after the other, of whatever it is, park no mail that waits for a claim to run out."""
    deaths = 2 * topology.DELIVERY_LIMIT + 2
    dead = post.ledger(LONG)
    left = await dead.begin(REQUEST_ID, opened().id)
    assert left is not None
    assert left.claim is not None
    async with post.vhost.door() as (way, url), post.notifier(url=url) as bus:
        await bus.publish(opened())
        for _ in range(deaths):  # to the broker a connection that is cut off is a consumer that died
            await asyncio.sleep(0.3)
            way.cut()
            await eventually_async(bus.ready)
        await dead.release(REQUEST_ID, opened().id, left.claim)  # as if it had run out by now
        await eventually_async(post.server.has_mails)
    dead.close()
    assert await post.vhost.count(topology.PARKING) == 0


async def test_mail_that_failed_is_free_for_the_next_try(post: Post) -> None:
    """A mail that the server put off is tried again when its tier ends, not when its claim would."""
    post.server.replies["RCPT"] = ["450 Greylisted"]
    async with post.notifier() as bus:
        await bus.publish(opened())
        await eventually_async(post.server.has_mails)
    assert len(post.server.mails) == 1


async def test_many_mails_share_few_connections(post: Post) -> None:
    """Twelve mails at once go over as many connections as the settings allow, and no more are opened."""
    post.server.pause = 0.02
    async with post.notifier(smtp_connections=2) as bus:
        for _ in range(12):
            await bus.publish(moved().model_copy(update={"id": uuid4()}))
        await eventually_async(lambda: post.server.has_mails(12))
    assert (len(post.server.mails), post.server.most, post.server.connections) == (12, 2, 2)

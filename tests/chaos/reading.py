"""Reads what is there from each part itself, by other ways than the services': database, object store, broker, box."""

import asyncio
import hashlib
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aio_pika
from minio import Minio
from pymongo import MongoClient

from ops.events import read_stream
from ops.stack import Connection, StackInfo
from shared import topology
from shared.contracts.letters import Receipt
from shared.contracts.requests import LetterReply, Submission
from tests.chaos.findings import Entry, Event, Findings, Mail, Parked, Ticket, event_of
from tests.fixtures.servers import s3_client

QUIET_SECONDS = 1.5
_NUMBER = re.compile(r"SR-[0-9]{8}-[0-9]")
_WORDS = ("message", "note", "comment")
_THREADS = 8


def read(info: StackInfo, settled: frozenset[str] = frozenset()) -> Findings:
    """Everything there is, but for what belongs to requests that are ``settled``; parking and unrouted are emptied."""
    found = Findings()
    _read_store(info, found, settled)
    found.tickets = [ticket for ticket in _tickets(info) if ticket.request_id not in settled]
    asyncio.run(_read_broker(info, found, settled))
    found.mails = [*_mails(Path(info.smtp.maildir), settled)]
    return found


def _read_store(info: StackInfo, found: Findings, settled: frozenset[str]) -> None:
    store = info.object_store
    client = s3_client(Connection(store.url, store.username, store.password))
    keys = [str(each.object_name) for each in client.list_objects(store.bucket, "requests/", recursive=True)]
    wanted = [key for key in keys if key.split("/")[1] not in settled]
    with ThreadPoolExecutor(_THREADS) as threads:
        contents = threads.map(lambda key: _content(client, store.bucket, key), wanted)
        for key, content in zip(wanted, contents, strict=True):
            _file(found, key, content)


def _content(client: Minio, bucket: str, key: str) -> bytes:
    response = client.get_object(bucket_name=bucket, object_name=key)
    try:
        return bytes(response.read())
    finally:
        response.close()
        response.release_conn()


def _file(found: Findings, key: str, content: bytes) -> None:
    """Put one object where it belongs."""
    _, request_id, *name = key.split("/")
    if name == ["request.json"]:
        found.forms[request_id] = tuple(each.sha256 for each in Submission.model_validate_json(content).letters)
    elif name[0] == "replies":
        reply = tuple(each.sha256 for each in LetterReply.model_validate_json(content).letters)
        found.replies.setdefault(request_id, []).append(reply)
    elif name[0].endswith(".receipt.json"):
        fault = Receipt.model_validate_json(content).letter.fault
        found.receipts[request_id, name[0].partition(".")[0]] = fault.value if fault else ""
    else:
        found.letters[request_id, name[0]] = hashlib.sha256(content).hexdigest()


def _tickets(info: StackInfo) -> list[Ticket]:
    with MongoClient[dict[str, Any]](info.mongodb.url, uuidRepresentation="standard") as client:
        return [_ticket(each) for each in client["tickets"]["tickets"].find()]


def _ticket(document: dict[str, Any]) -> Ticket:
    return Ticket(
        request_id=str(document["_id"]),
        number=document["number"],
        version=document["version"],
        published=document["published"],
        letters=tuple(letter["letter_id"] for letter in document["letters"]),
        history=tuple(
            Entry(
                sequence=each["sequence"],
                event_id=str(each["id"]),
                type=each["type"],
                status=each["status"],
                letter_id=each.get("letter_id", ""),
                fault=each.get("reason", "") if "letter_id" in each else "",
                words=next((each[name] for name in _WORDS if name in each), ""),
                is_to_producer="message" in each,
            )
            for each in document["history"]
        ),
    )


async def _read_broker(info: StackInfo, found: Findings, settled: frozenset[str]) -> None:
    url = info.rabbitmq.url_with_credentials
    events = await read_stream(url, QUIET_SECONDS)
    found.events = [
        Event(each.subject, int(each.sequence), str(each.id))
        for each in events
        if str(each.data.request_id) not in settled
    ]
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        parking = await channel.get_queue(topology.PARKING)
        while (message := await parking.get(no_ack=True, fail=False)) is not None:
            found.parked.append(_parked(message))
        unrouted = await channel.get_queue(topology.UNROUTED)
        while (message := await unrouted.get(no_ack=True, fail=False)) is not None:
            found.unrouted.append(f"{message.routing_key} {message.message_id}")


def _parked(message: aio_pika.abc.AbstractIncomingMessage) -> Parked:
    headers = message.headers
    queue = str(headers.get("por-queue") or message.routing_key)
    # One that came through suspects was put there by the broker, which gives no reason of ours.
    reason = str(headers.get("por-reason") or "its consumer died on it")
    return Parked(queue, reason, message.message_id or "", message.correlation_id or "")


def _mails(maildir: Path, settled: frozenset[str]) -> Iterator[Mail]:
    """Every mail, but for those about settled requests."""
    for path in (maildir / "new").iterdir():
        content = path.read_bytes()
        # Of the many that are settled the head is enough.
        head = message_from_bytes(content.partition(b"\r\n\r\n")[0], policy=policy.default)
        if event_of(str(head["References"])) in settled:
            continue
        number = _NUMBER.search(str(head["Subject"]))
        yield Mail(
            event_id=event_of(str(head["Message-ID"])),
            recipients=tuple(str(each) for each in head.get_all("X-RcptTo", [])),
            number=number[0] if number else "",
            at=path.stat().st_mtime,
            text=_text(message_from_bytes(content, policy=policy.default)),
        )


def _text(mail: EmailMessage) -> str:
    """What a mail says, with single blanks where its lines were broken."""
    plain = mail.get_body(("plain",))
    return " ".join(str(plain.get_content()).split()) if plain else ""

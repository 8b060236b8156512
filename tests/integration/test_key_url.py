"""Tokens against keys behind a URL, on a real HTTP server."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from shared.runtime import keys
from shared.runtime.auth import TokenVerifier
from shared.runtime.problems import Problem
from tests.identity import Provider, service_settings


class KeyServer(ThreadingHTTPServer):
    """An identity provider's key URL, which answers with whatever it is told to."""

    answer = b""
    pause = 0.0
    asked = 0

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_port}/jwks"


class Answer(BaseHTTPRequestHandler):
    """The same answer to everybody."""

    server: KeyServer

    def do_GET(self) -> None:
        """Answer, after a pause."""
        self.server.asked += 1
        answer = self.server.answer
        time.sleep(self.server.pause)
        with suppress(OSError):  # who asked may have gone
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Keep the tests' output clean."""


@pytest.fixture
def key_server() -> Iterator[KeyServer]:
    """A key server that runs."""
    with KeyServer(("127.0.0.1", 0), Answer) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def verifier(server: KeyServer, profile: str = "production") -> TokenVerifier:
    """A verifier that asks this server for its keys."""
    return TokenVerifier(service_settings(None, jwt_jwks_url=server.url, profile=profile))


async def refusal(verifier: TokenVerifier, token: str) -> Problem:
    """How a token is refused."""
    with pytest.raises(Problem) as refused:
        await verifier.caller(token)
    return refused.value


async def test_the_development_key_is_refused_wherever_it_comes_from(tmp_path: Path, key_server: KeyServer) -> None:
    """A key URL that holds the development key lets nobody into production with it; the local stack it does."""
    development = Provider(tmp_path, key_id="development")
    key_server.answer = development.key_file.read_bytes()
    assert (await refusal(verifier(key_server), development.token())).status == 401
    assert (await verifier(key_server, "local").caller(development.token())).subject == "P1001"


async def test_a_token_of_a_key_that_the_provider_has_not_is_refused(tmp_path: Path, key_server: KeyServer) -> None:
    """An unknown key id is 401 and costs the others nothing: the provider's own tokens are still right."""
    key_server.answer = Provider(tmp_path).key_file.read_bytes()
    asked = verifier(key_server)
    unknown = Provider(tmp_path).token(headers={"kid": "unknown"})
    for _ in range(2):
        assert (await refusal(asked, unknown)).status == 401
        assert (await asked.caller(Provider(tmp_path).token())).subject == "P1001"


async def test_unknown_keys_share_one_look(tmp_path: Path, key_server: KeyServer) -> None:
    """A flood of tokens that name unknown keys is one look at the key URL per cooldown, and all of them are 401."""
    key_server.answer = Provider(tmp_path).key_file.read_bytes()
    asked = verifier(key_server)
    tokens = [Provider(tmp_path).token(headers={"kid": f"unknown-{n}"}) for n in range(50)]
    refused = await asyncio.gather(*(refusal(asked, token) for token in tokens))
    assert {each.status for each in refused} == {401}
    assert (await refusal(asked, tokens[0])).status == 401
    assert key_server.asked == 1


async def test_unknown_keys_delay_nobody(
    tmp_path: Path, key_server: KeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the key URL hangs, known keys are right at once, unknown ones 503, and it is asked by one at a time."""
    key_server.answer = Provider(tmp_path).key_file.read_bytes()
    asked = verifier(key_server)
    await asked.caller(Provider(tmp_path).token())
    monkeypatch.setattr(keys, "COOLDOWN", 0.5)
    await asyncio.sleep(0.5)
    key_server.answer, key_server.pause = b"no keys", 2.0
    token = Provider(tmp_path).token(headers={"kid": "unknown"})
    flood = [asyncio.create_task(refusal(asked, token)) for _ in range(50)]
    await asyncio.sleep(0.1)
    began = time.monotonic()
    assert (await asked.caller(Provider(tmp_path).token())).subject == "P1001"
    assert time.monotonic() - began < 1
    assert {(await each).status for each in flood} == {503}
    assert key_server.asked == 2


async def test_a_new_key_is_found(tmp_path: Path, key_server: KeyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that changes its key is believed after the cooldown, without a restart."""
    monkeypatch.setattr(keys, "COOLDOWN", 0.2)
    key_server.answer = Provider(tmp_path).key_file.read_bytes()
    asked = verifier(key_server)
    await asked.caller(Provider(tmp_path).token())
    changed = Provider(tmp_path, key_id="idp-2")
    key_server.answer = changed.key_file.read_bytes()
    assert (await refusal(asked, changed.token())).status == 401
    await asyncio.sleep(0.2)
    assert (await asked.caller(changed.token())).subject == "P1001"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<!doctype html><title>Sign in</title>",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"keys": []}',
        b'{"keys": 1}',
        b'{"keys": [{"kty": "RSA"}]}',
    ],
    ids=["nothing", "html", "no-text", "no-object", "no-keys", "empty-keys", "odd-keys", "broken-key"],
)
async def test_what_is_no_key_set_is_503_until_it_is_one(tmp_path: Path, key_server: KeyServer, answer: bytes) -> None:
    """While the key URL gives something else nobody is told that his token is bad; after that it is right at once."""
    provider, asked = Provider(tmp_path), verifier(key_server)
    key_server.answer = answer
    refused = await refusal(asked, provider.token())
    assert (refused.status, refused.headers["Retry-After"]) == (503, "5")
    key_server.answer = provider.key_file.read_bytes()
    assert (await asked.caller(provider.token())).subject == "P1001"

"""A service that is told to stop before it has begun."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.identity import Provider

SECONDS = 10


def environment(folder: Path, broker: int) -> dict[str, str]:
    """What documents needs to start, and a broker at a port."""
    return {
        **{name: value for name, value in os.environ.items() if name in {"PATH", "PYTHONPATH"}},
        "POR_AMQP_URL": f"amqp://guest:guest@127.0.0.1:{broker}/",
        "POR_JWT_KEY_FILE": str(Provider(folder).key_file),
        "POR_JWT_ISSUER": "i",
        "POR_JWT_AUDIENCE": "a",
        "POR_S3_ENDPOINT": "http://127.0.0.1:1",
        "POR_S3_ACCESS_KEY": "a",
        "POR_S3_SECRET_KEY": "s",
    }


@pytest.mark.parametrize("broker_is", ["gone", "hanging"])
def test_a_service_that_waits_for_its_broker_stops_when_told(tmp_path: Path, broker_is: str) -> None:
    """With a broker that is gone or says nothing when it starts, a service told to stop ends soon, with success."""
    argv = [sys.executable, "-m", "services.documents.main"]
    with socket.create_server(("127.0.0.1", 0)) as broker:
        broker.settimeout(20)
        env = environment(tmp_path, broker.getsockname()[1])
        with subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as service:
            try:
                connection, _ = broker.accept()
                with connection:
                    if broker_is == "gone":
                        broker.close()
                        connection.close()
                        assert service.stdout is not None
                        next(line for line in service.stdout if b"Reconnecting" in line)
                    service.terminate()
                    output, _ = service.communicate(timeout=SECONDS)
            finally:
                service.kill()
    assert service.returncode == 0, output.decode()

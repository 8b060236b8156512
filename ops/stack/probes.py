"""Cheap questions to a server that is starting; http.client and sockets know no proxies."""

import http.client
import socket
from base64 import b64encode
from urllib.parse import urlsplit

TIMEOUT = 1.0


def port_answers(port: int) -> bool:
    """Whether something accepts connections on this port of 127.0.0.1."""
    try:
        socket.create_connection(("127.0.0.1", port), TIMEOUT).close()
    except OSError:
        return False
    return True


def greets(port: int, question: bytes, answer: bytes) -> bool:
    """Whether the server's first bytes after the question (empty: it speaks first) are the expected ones."""
    try:
        with socket.create_connection(("127.0.0.1", port), TIMEOUT) as connection:
            connection.sendall(question)
            return connection.recv(len(answer)) == answer
    except OSError:
        return False


def http_ok(url: str, username: str = "", password: str = "") -> bool:
    """Whether a GET is answered with 200."""
    parts = urlsplit(url)
    headers = {"Authorization": "Basic " + b64encode(f"{username}:{password}".encode()).decode()} if username else {}
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT)
    try:
        connection.request("GET", parts.path, headers=headers)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()

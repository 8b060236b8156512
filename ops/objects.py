"""An S3 client of which every question has an end."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from minio import Minio
from minio.error import MinioException
from urllib3 import PoolManager, Retry
from urllib3.exceptions import HTTPError

# What the library raises where the store is away, hangs, or refuses.
StoreFault = (MinioException, HTTPError, OSError)


@contextmanager
def object_store(url: str, access_key: str, secret_key: str, region: str, seconds: float) -> Iterator[Minio]:
    """A store at ``url``, which has ``seconds`` to connect, and for each part of an answer."""
    address = urlsplit(url)
    # Left to itself the library goes on for minutes. 500: S3 says to try again.
    retries = Retry(total=2, connect=0, read=0, backoff_factor=0.1, status_forcelist=[500, 502, 503])
    with PoolManager(timeout=seconds, retries=retries) as pool:
        yield Minio(
            endpoint=address.netloc,
            access_key=access_key,
            secret_key=secret_key,
            secure=address.scheme == "https",
            region=region,
            http_client=pool,
        )

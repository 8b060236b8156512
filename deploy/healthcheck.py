"""Exit 0 if the service in this container answers 200 under the path given, else 1."""

import os
import sys
import urllib.error
import urllib.request

# The Docker client may give containers a proxy; it has no business between a container and itself.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def healthy(path: str) -> bool:
    """The service answers in time, and 200."""
    url = f"http://127.0.0.1:{os.environ.get('POR_PORT', '8000')}{path}"
    try:
        with _opener.open(url, timeout=4) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


if __name__ == "__main__":
    sys.exit(0 if healthy(sys.argv[1]) else 1)

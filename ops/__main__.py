"""``python -m ops`` is ``pordesk``."""

from ops.cli import main

main()

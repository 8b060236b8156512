"""The operator's side: the `pordesk` command, the local stack, demo and benchmark."""

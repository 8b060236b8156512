"""``pordesk doctor``: what is wrong with a desk, and what to do about it."""

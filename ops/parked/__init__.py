"""The parking lot in an operator's hand: list, show, replay, drop."""

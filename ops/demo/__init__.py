"""The demo: the desk at work on real parts, told as a person would want to read it."""

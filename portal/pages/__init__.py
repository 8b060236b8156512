"""The doors in: each module has the pages of one part of the portal."""

"""The REST faces."""

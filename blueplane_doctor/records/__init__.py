"""Frozen records: what passes between the parts, and how their fields are checked."""

"""Formats: each file turns a Report into text, and counts nothing. A module with a `FORMAT` is a format."""

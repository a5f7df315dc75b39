"""Formats: each file turns a Report into text, and counts nothing.

The folder listing is the registry: a module with a `FORMAT` is a format.
"""

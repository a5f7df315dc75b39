"""Checks, causes, monitors and formats: found, loaded from outside too, and mistakes in them told by line."""

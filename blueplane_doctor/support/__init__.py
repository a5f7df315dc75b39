"""The support bundle: one zip that tells somebody else all that is needed, and nothing private.

Each file is made of what is known to be harmless; nothing is made by taking secrets out of what may hold them.
"""

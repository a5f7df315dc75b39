"""The one way to Redis, for all that reads and writes there.

Nothing is imported here: the settings read an address with `topology`, and start-up must not load a client for it.
"""

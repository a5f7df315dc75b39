"""A real server, a temporary home and a simulated pipeline: for `blueplane-doctor demo` and for the tests."""

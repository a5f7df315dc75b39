"""The built-in health checks: one file an area, one function a check; discovered, never listed."""

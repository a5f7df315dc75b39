"""The server is tried with what it serves: a service over a healthy pipeline."""

from tests.service.conftest import healthy, served

__all__ = ["healthy", "served"]

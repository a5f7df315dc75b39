"""The HTTP face: a HealthService that keeps a report fresh, and a router that shows it."""

from typing import TYPE_CHECKING

from blueplane_doctor.service.health_service import HealthService
from blueplane_doctor.settings.values import Settings, load

if TYPE_CHECKING:
    from fastapi import APIRouter

__all__ = ["HealthService", "router"]


def router(settings: Settings | HealthService | None = None) -> "APIRouter":
    """All endpoints, to mount into another application: `app.include_router(router(settings), prefix="/doctor")`.

    Without settings, those of the environment and the files are taken. What guard.py does is the application's to do.
    """
    from blueplane_doctor.service.routes import make_router  # with FastAPI: a HealthService needs no extra

    if isinstance(settings, HealthService):
        return make_router(settings)
    return make_router(HealthService(settings or load().settings))

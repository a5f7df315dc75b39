"""Serve health and metrics over HTTP, with a live page, until interrupted."""

from contextlib import AbstractContextManager, nullcontext
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from blueplane_doctor.command_line.invocation import Invocation
from blueplane_doctor.commands.base import command, new_command
from blueplane_doctor.errors import UsageError
from blueplane_doctor.model import Status
from blueplane_doctor.settings.files import files_of
from blueplane_doctor.settings.options import EXAMINING, VERDICT
from blueplane_doctor.text.console import remark, say_if_read

if TYPE_CHECKING:
    from blueplane_doctor.service.health_service import HealthService

COMMAND = new_command(__doc__)


@command(COMMAND, *EXAMINING, *VERDICT, "waivers", "notify")
def serve(
    given: Invocation,
    host: Annotated[
        str, typer.Option(help="Address to listen on; any but loopback needs --token-file.", metavar="ADDRESS")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0: any free one.", metavar="PORT")] = 8788,
    uds: Annotated[Path | None, typer.Option(help="Listen on a unix socket instead.", metavar="FILE")] = None,
    token_file: Annotated[
        Path | None, typer.Option(help="Ask everybody for the token in this file.", metavar="FILE")
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(help="A name that callers may use for this host; repeatable.", metavar="NAME"),
    ] = None,
    unhealthy_at: Annotated[
        str,
        typer.Option(help="Colour from which on the HTTP code is 503: yellow, orange or red.", metavar="COLOUR"),
    ] = "red",
    rate: Annotated[
        float, typer.Option(min=1, help="Requests a second that one caller is answered.", metavar="NUMBER")
    ] = 1000,
    otlp_endpoint: Annotated[
        str | None, typer.Option(help="Also push the metrics to this OTLP receiver (HTTP).", metavar="URL")
    ] = None,
) -> None:
    """Ends at SIGTERM, SIGHUP or Ctrl-C."""
    if not isfinite(rate):
        raise UsageError(f"--rate {rate}: that is no number of requests")
    if unhealthy_at not in ("yellow", "orange", "red"):
        raise UsageError(f"--unhealthy-at {unhealthy_at}: no such colour", "yellow, orange or red")
    try:
        # Here and not above: they need the extra `serve`, and `serve --help` does not.
        from blueplane_doctor.http_server import guard, listening
        from blueplane_doctor.service import health_service, reloading, serving, telling
    except ImportError as error:
        raise UsageError(f"serve needs {error.name}", 'pip install "blueplane-doctor[serve]"') from None

    token = guard.read_token(token_file) if token_file else None
    address = listening.ListenAddress(host, port, uds)
    address.check(token)
    settings = given.load(for_examination=True).settings
    files = files_of(settings.home, given.options.settings)
    if given.options.waivers:
        files.append(given.options.waivers)
    reload = reloading.SettingsReloader(settings, lambda: given.load().settings, files, say_if_read)
    service = health_service.HealthService(settings, reload=reload)
    access = guard.Access(token, tuple(allow_host or ()), rate)

    def tell(url: str) -> AbstractContextManager[None]:
        return telling.telling(service, remark, telling.page_at(url))

    with _pushing(service, otlp_endpoint):
        serving.serve(service, Status(unhealthy_at), address, access, say_if_read, tell)


def _pushing(service: "HealthService", endpoint: str | None) -> AbstractContextManager[None]:
    if endpoint is None:
        return nullcontext()
    try:
        from blueplane_doctor.service.pushing import pushing  # it needs the extra `otel`
    except ImportError as error:
        raise UsageError(f"--otlp-endpoint needs {error.name}", 'pip install "blueplane-doctor[otel]"') from None
    return pushing(service, endpoint)

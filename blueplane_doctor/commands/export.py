"""Make alerting rules for Prometheus and dashboards for Grafana from the scales in force."""

from blueplane_doctor.command_line.invocation import Invocation
from blueplane_doctor.commands.base import command, group, new_command
from blueplane_doctor.export import grafana, prometheus_rules
from blueplane_doctor.judging.diagnose import Doctor
from blueplane_doctor.settings.options import SELECTION
from blueplane_doctor.text.console import show_or_write

COMMAND = group(new_command(__doc__))
_OUTPUT = "Write to this file instead of stdout."


@command(COMMAND, "home", "settings", *SELECTION, name="prometheus-rules", output=_OUTPUT)
def export_prometheus_rules(given: Invocation) -> None:
    """Alerting rules for Prometheus."""
    output = given.one_output()
    doctor = Doctor(given.load().settings)
    show_or_write(prometheus_rules.render(doctor.checks, doctor.available.causes), output)


@command(COMMAND, "home", "settings", *SELECTION, name="grafana", output=_OUTPUT)
def export_grafana(given: Invocation) -> None:
    """A dashboard for Grafana."""
    output = given.one_output()
    show_or_write(grafana.render(Doctor(given.load().settings).checks), output)

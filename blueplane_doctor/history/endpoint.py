"""The Redis that holds the history, as messages speak of it."""

from blueplane_doctor.connection.failures import Endpoint

READING_RIGHTS = (
    "Let this user read the history: ACL SETUSER <user> %R~blueplane:health:* +exists +hgetall +xrange, "
    "with TimeSeries +exists +ts.queryindex +ts.range +xrange; docs/HISTORY.md lists those of blueplane-doctor record"
)


def history_endpoint(url: str) -> Endpoint:
    """What a connection to the history is made with."""
    return Endpoint(url, setting="history_url", purpose="which is to hold the history", rights=READING_RIGHTS)

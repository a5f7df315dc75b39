"""The HTTP session of the pushes: of a receiver's answer it takes the code alone, for the rest of it may never end.

The library reads an answer whole, however long it is, and its older versions follow redirects to other servers.
"""

from typing import Any

import requests
from requests.adapters import HTTPAdapter


class _CodeAlone(HTTPAdapter):
    def send(
        self, request: requests.PreparedRequest, stream: bool = True, *arguments: Any, **options: Any
    ) -> requests.Response:
        answer = super().send(request, True, *arguments, **options)  # True: the body is not read
        answer.close()
        code_alone = requests.Response()
        code_alone.request = request
        code_alone.url = answer.url
        code_alone.status_code = answer.status_code
        code_alone.reason = answer.reason
        return code_alone


def session() -> requests.Session:
    """A session for the exporter."""
    made = requests.Session()
    for scheme in ("http://", "https://"):
        made.mount(scheme, _CodeAlone())
    return made

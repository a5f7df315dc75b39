"""Look-ups that were just answered, by the URL that was asked: asked again at once, they need no framework."""

import time
from collections import OrderedDict

from blueplane_doctor.service.answers import Rendered

KEPT = 256
SECONDS = 1.0
"""For which the same URL gets the same answer; its age tells how old it is."""

Url = tuple[str, bytes]
"""Path and query."""


class Recalled:
    """The newest answers. For one thread, the server's loop."""

    def __init__(self) -> None:
        self._answers: OrderedDict[Url, tuple[float, Rendered]] = OrderedDict()

    def keep(self, url: Url, answer: Rendered) -> None:
        """Keep an answer for a moment."""
        self._answers[url] = time.monotonic() + SECONDS, answer
        self._answers.move_to_end(url)
        while len(self._answers) > KEPT:
            self._answers.popitem(last=False)

    def get(self, url: Url) -> Rendered | None:
        """The answer that was just given, if any."""
        until, answer = self._answers.get(url, (0.0, None))
        return answer if time.monotonic() < until else None

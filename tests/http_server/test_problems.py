"""Why there is no answer, as JSON."""

import json

import pytest

from blueplane_doctor.http_server.problems import problem, to_bytes


def test_a_problem_is_never_kept() -> None:
    answer = problem(429, "too many", "wait", {"Retry-After": "1"})
    assert json.loads(bytes(answer.body)) == {"error": "too many", "hint": "wait"}
    assert (answer.headers["cache-control"], answer.headers["retry-after"]) == ("no-store", "1")


def test_what_is_no_text_is_still_json() -> None:
    assert to_bytes({"name": "\udcff"}) == b'{"name":"\\udcff"}'
    with pytest.raises(ValueError):
        to_bytes(float("nan"))

"""Reasons are words of our own, also those that are read from a file."""

import errno

import pytest

from blueplane_doctor.notifying import reasons

OURS = [
    "",
    reasons.NOT_INSTALLED,
    reasons.TOO_LATE,
    reasons.BROKE,
    *map(reasons.of_library, ("unreachable", "redirected", "unknown", "refused", "404")),
    reasons.of_exit_code(7),
    reasons.of_exit_code(-9),
    reasons.of_error(OSError(errno.ENOENT, "no such file: s3cret")),
]


@pytest.mark.parametrize("reason", OURS)
def test_a_reason_of_ours_is_known_again(reason: str) -> None:
    assert reasons.known(reason) == reason


@pytest.mark.parametrize("text", ["Jane Doe", "the service answered Jane", "it ended with exit code Jane", "404 Jane"])
def test_any_other_is_not_shown(text: str) -> None:
    assert reasons.known(text) == reasons.NOT_SHOWN


@pytest.mark.parametrize("answer", ["", "s3cret", "999", "4040"])
def test_what_the_library_may_not_answer(answer: str) -> None:
    assert reasons.of_library(answer) == reasons.BROKE

"""The states of lines and their equation."""

from blueplane_doctor.capture.line_states import LINE_STATES, MISSING, WRITTEN, equation


def test_the_equation_names_the_states_that_have_lines() -> None:
    states = dict.fromkeys(LINE_STATES, 0) | {WRITTEN: 4_812, MISSING: 192}
    assert equation(5_004, states) == "5,004 lines = 4,812 written + 192 missing"
    assert equation(1, {"not_captured": 1}) == "1 line = 1 not captured"
    assert equation(0, {}) == "0 lines = 0"

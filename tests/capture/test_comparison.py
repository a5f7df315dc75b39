"""What a comparison counts."""

from blueplane_doctor.capture.comparison import Comparison


def test_lines_are_counted_by_project_and_by_time() -> None:
    comparison = Comparison()
    comparison.add(1, 1_773_480_000_000, "written", 3)
    comparison.add(2, "older", "written")
    comparison.add(2, 1_773_480_000_000, "missing")
    assert comparison.total("written") == 4
    assert comparison.projects == {1: {"written": 3}, 2: {"written": 1, "missing": 1}}
    assert comparison.buckets == {1_773_480_000_000: {"written": 3, "missing": 1}, "older": {"written": 1}}

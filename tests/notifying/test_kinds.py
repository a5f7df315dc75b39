"""Why people are told something."""

from blueplane_doctor.notifying.kinds import Kind


def test_each_kind_is_written_as_its_name() -> None:
    assert [kind.value for kind in Kind] == [kind.name.lower() for kind in Kind]

"""The Redis that holds the history, as messages speak of it."""

from blueplane_doctor.history.endpoint import READING_RIGHTS, history_endpoint


def test_its_messages_name_the_purpose_the_option_and_the_rights() -> None:
    endpoint = history_endpoint("redis://localhost:7000/1")
    assert endpoint.name == "Redis at localhost:7000 database 1, which is to hold the history,"
    assert endpoint.option == "--history-url"
    assert endpoint.rights == READING_RIGHTS

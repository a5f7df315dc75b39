"""The sample of written messages: even over all that were given, and bounded."""

from blueplane_doctor.custody.delay_sample import MOST_KEPT, DelaySample, WrittenMessage


def sample_of(messages: int) -> DelaySample:
    sample = DelaySample()
    for number in range(messages):
        sample.add(WrittenMessage(number, "cursor_raw_traces", number))
    return sample


def test_few_messages_are_all_kept() -> None:
    sample = sample_of(MOST_KEPT)
    assert sample.messages == MOST_KEPT
    assert [message.sequence for message in sample.kept] == list(range(MOST_KEPT))


def test_of_many_every_nth_is_kept_from_the_first_to_the_last() -> None:
    sample = sample_of(25_000)
    assert sample.messages == 25_000
    assert MOST_KEPT / 2 <= len(sample.kept) <= MOST_KEPT
    steps = {later.sequence - one.sequence for one, later in zip(sample.kept, sample.kept[1:], strict=False)}
    assert steps == {32}
    assert sample.kept[0].sequence == 0
    assert sample.kept[-1].sequence > 25_000 - 2 * 32

"""The sample of written messages: even over all that were given, and bounded."""

import pytest

from blueplane_doctor.custody.delay_sample import MOST_KEPT, DelaySample


def sample_of(messages: int, page: int = 500) -> DelaySample:
    sample = DelaySample()
    for start in range(0, messages, page):
        numbers = range(start, min(messages, start + page))
        sample.add([(number, "cursor_raw_traces", number) for number in numbers])
    return sample


def sequences(sample: DelaySample) -> list[int]:
    return [sequence for _, _, sequence in sample.kept]


def test_few_messages_are_all_kept() -> None:
    sample = sample_of(MOST_KEPT)
    assert sample.messages == MOST_KEPT
    assert sequences(sample) == list(range(MOST_KEPT))


def test_of_many_every_nth_is_kept_from_the_first_to_the_last() -> None:
    sample = sample_of(25_000)
    assert sample.messages == 25_000
    assert MOST_KEPT / 2 <= len(sample.kept) <= MOST_KEPT
    kept = sequences(sample)
    steps = {later - one for one, later in zip(kept, kept[1:], strict=False)}
    assert steps == {32}
    assert kept[0] == 0
    assert kept[-1] > 25_000 - 2 * 32


@pytest.mark.parametrize("page", [1, 7, 499, 3 * MOST_KEPT])
def test_the_size_of_the_pages_changes_nothing(page: int) -> None:
    assert sequences(sample_of(25_000, page)) == sequences(sample_of(25_000))

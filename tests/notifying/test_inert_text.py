"""Text that nothing obeys."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from blueplane_doctor.notifying.inert_text import inert

HOSTILE = [
    "<!channel> <@U024BE7LH> @here @everyone",
    "<https://evil.example/|click> [click](https://evil.example) https://evil.example",
    "<b>bold</b><script>alert(1)</script><img src=x>",
    "*bold* _italic_ ~~struck~~ `code` ```block```",
    "# heading\r\n- list\n> quote",
    "www.evil.com evil.com/path mailto:a@evil.com",
    "&lt;!channel&gt; &#64;here",
    "\x1b[31m red \u202e reversed \u200b",
    "::warning::x ##vso[task]",
]
_OBEYED = re.compile(r"[<>@#*`\[\]|&\\\"{}\x00-\x1f\u200b-\u202e]|://|~~|\bwww\.|[a-z]\.[a-z]")


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_inert(text: str) -> None:
    assert not _OBEYED.search(inert(text))


@example("~~~")
@given(st.lists(st.sampled_from([*"<>@#*`[]()|&\\~_:/.\n\x1b ", "evil", "com", "http"])).map("".join))
def test_no_text_is_obeyed(text: str) -> None:
    assert not _OBEYED.search(inert(text))


@pytest.mark.parametrize(
    "text",
    [
        "40 messages are stuck in processors behind 1763000000000-0: same key. Nothing is lost yet.",
        "blueplane-doctor trace 1763000000000-0",
        "The write-ahead log has 1,024.5 MB; chain_break_count is 3 (99.5 %)",
        "tail -n 50 ~/.blueplane/server.log",
    ],
)
def test_our_own_sentences_stay_as_they_are(text: str) -> None:
    assert inert(text) == text


def test_placeholders_stay_readable() -> None:
    assert inert("blueplane-doctor --home <home>") == "blueplane-doctor --home ‹home›"


def test_a_sentence_has_a_bound() -> None:
    assert len(inert("x" * 10_000)) == 300

"""What is shown of a target, and what stands for it in the state."""

from blueplane_doctor.notifying.targets import address_hash, targets_of
from blueplane_doctor.settings.notification_rules import NotifyRule

SECRET = "s3cret-t0ken"
RULES = [NotifyRule.model_validate(f"ntfy://{SECRET}@h/t"), NotifyRule(command=["tell", SECRET])]


def test_a_scheme_that_nobody_knows_is_not_shown() -> None:
    rules = [NotifyRule.model_validate(url) for url in ("s3cret-token://host", "TGRAM://1/2", "mailtos://x@y")]
    assert [target.label for target in targets_of(rules)] == ["other 1", "tgram 2", "mailtos 3"]


def test_labels_hold_no_address() -> None:
    assert [target.label for target in targets_of(RULES)] == ["ntfy 1", "command 2"]


def test_a_hash_is_of_the_address_and_of_the_key() -> None:
    one, other = RULES
    assert address_hash(one, "k") == address_hash(one.model_copy(update={"quiet": "22:00-07:00"}), "k")
    assert len({address_hash(one, "k"), address_hash(other, "k"), address_hash(one, "l")}) == 3
    assert SECRET not in address_hash(one, "k")

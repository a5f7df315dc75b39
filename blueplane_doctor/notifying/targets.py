"""The targets of the settings: what is shown of them, and what stands for them in the state."""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from blueplane_doctor.settings.notification_rules import NotifyRule


class Target(NamedTuple):
    """One target of the settings."""

    rule: NotifyRule
    label: str
    """What is shown of it: its kind and its number in the settings, `ntfy 1`."""


def targets_of(rules: Sequence[NotifyRule]) -> list[Target]:
    """The targets, in the order of the settings."""
    return [Target(rule, f"{rule.kind} {number}") for number, rule in enumerate(rules, 1)]


def address_hash(rule: NotifyRule, key: str) -> str:
    """What stands for a target's address in the state: the address cannot be guessed from it without the key."""
    return hashlib.blake2b(rule.address.encode(), key=key.encode(), digest_size=16).hexdigest()

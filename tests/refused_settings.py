"""Settings that cannot be used, and what is said of them."""

from pathlib import Path
from typing import Any

import pytest

from blueplane_doctor.errors import SettingsError
from blueplane_doctor.settings.values import load

SECRET = "hunter2-s3cret"


def refused(flags: dict[str, Any] | None = None, *, file: Path | None = None) -> SettingsError:
    """What `load` says of settings that cannot be used; with a hint, and without the secret."""
    with pytest.raises(SettingsError) as caught:
        load(flags, file=file)
    assert SECRET not in caught.value.message + caught.value.hint
    return caught.value

"""Splits the wheel that the sources build in two: the base, and what only the extras `demo` and `serve` run.

Installed from a checkout, from git or from the sdist, all is in one. An index gets two, so that the base install stays
small: there, those extras depend on the second. Every file is in one of the two, as it was.
"""

import zipfile
from base64 import urlsafe_b64encode
from hashlib import sha256
from pathlib import Path
from unittest.mock import patch

from zopfli.zlib import compress

ROUNDS = 3
"""Of looking for a smaller form: the twelve more of zopfli's default save a thousandth, and take a third more."""
EXTRAS = ("all", "demo", "serve")
MOVED = tuple(f"blueplane_doctor/{part}" for part in ("demo/", "http_server/", "service/", "templates/live."))
KEPT = ("blueplane_doctor/demo/__init__.py", "blueplane_doctor/demo/schema.py")
"""`install` makes the database by the demo's schema."""
METADATA = """\
Metadata-Version: 2.4
Name: blueplane-doctor-extras
Version: {version}
Summary: Demo and HTTP service of blueplane-doctor, for its extras: pip install "blueplane-doctor[serve]"
License-Expression: Apache-2.0
License-File: LICENSE
Requires-Python: >=3.11
Requires-Dist: blueplane-doctor=={version}
"""


def split(wheel: Path) -> Path:
    """Put the base in the place of this wheel and the rest beside it; the latter's path. Same wheel, same bytes."""
    with zipfile.ZipFile(wheel) as archive:
        files = {entry.filename: archive.read(entry) for entry in archive.infolist()}
        made_at = archive.infolist()[0].date_time
    name, version = wheel.name.split("-")[:2]
    info = f"{name}-{version}.dist-info/"
    rest_info = f"{name}_extras-{version}.dist-info/"
    moved = {path for path in files if path.startswith(MOVED) and path not in KEPT}
    base = {path: content for path, content in files.items() if path not in moved}
    base[info + "METADATA"] = _with_dependency(base[info + "METADATA"].decode(), version).encode()
    rest = {path: files[path] for path in files if path in moved}
    rest |= {rest_info + path: files[info + path] for path in ("WHEEL", "licenses/LICENSE")}
    rest[rest_info + "METADATA"] = METADATA.format(version=version).encode()
    beside = wheel.with_name(wheel.name.replace(name, f"{name}_extras"))
    _write(wheel, base, info, made_at)
    _write(beside, rest, rest_info, made_at)
    return beside


def _with_dependency(metadata: str, version: str) -> str:
    head, blank, description = metadata.partition("\n\n")
    lines = [head, *(f"Requires-Dist: blueplane-doctor-extras=={version}; extra == '{extra}'" for extra in EXTRAS)]
    return "\n".join(lines) + blank + description


def _write(wheel: Path, files: dict[str, bytes], info: str, made_at: tuple[int, int, int, int, int, int]) -> None:
    """A wheel of these files, with a RECORD of them."""
    record = info + "RECORD"
    listed = {path: content for path, content in files.items() if path != record}
    lines = [f"{path},sha256={_digest(content)},{len(content)}\n" for path, content in listed.items()]
    listed[record] = "".join([*lines, f"{record},,\n"]).encode()
    # zipfile has no door for another compressor, and its own leaves the wheel a fortieth larger.
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive, patch("zipfile._get_compressor", _Zopfli):
        for path, content in listed.items():
            entry = zipfile.ZipInfo(path, made_at)
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)


def _digest(content: bytes) -> str:
    return urlsafe_b64encode(sha256(content).digest()).decode().rstrip("=")


class _Zopfli:
    """In the place of zlib's compressor object."""

    def __init__(self, *_: object) -> None:
        self._content = b""

    def compress(self, content: bytes) -> bytes:
        """Nothing yet: zopfli wants all at once."""
        self._content += content
        return b""

    def flush(self) -> bytes:
        """Deflate, without zlib's frame around it."""
        return compress(self._content, numiterations=ROUNDS)[2:-4]

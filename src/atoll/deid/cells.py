"""Values encrypted one by one, so that two persons together can open some of them again.

A cell is `enc1:` and, in base64url without padding, 8 bytes that name the key, 16 bytes of
nonce, and AES-SIV (RFC 5297, 256-bit keys) over the padded value; what it authenticates
beside the value is the place: dataset, table and column, so that no cell opens elsewhere.

The nonce is an HMAC over place, file and row: the same admission run again gives the same
cell, while two rows with one value have cells that do not show it. A row delivered again in
a file of the same name has the same cell when its value is the same; that is all that equal
cells tell. Values are padded to 32 bytes (ISO/IEC 7816-4), so lengths show in steps of 32.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from atoll.deid.keyring import CELL_KEY_BYTES, TAG_BYTES, DomainKeys, key_tag
from atoll.errors import IntegrityBroken

MARK = "enc1:"
_NONCE_BYTES = 16
_SIV_KEY_BYTES = 64
_BLOCK = 32


class CellCipher:
    """Encrypts and opens the cells of one place (`dataset.table.column`) under one key."""

    def __init__(self, keys: DomainKeys, place: str) -> None:
        assert len(keys.cell_key) == CELL_KEY_BYTES
        self._tag = key_tag(keys.key_id)
        self._siv = AESSIV(keys.cell_key[:_SIV_KEY_BYTES])
        self._nonce_key = keys.cell_key[_SIV_KEY_BYTES:]
        self._place = place

    def encrypt(self, value: str, file: str, row: int) -> str:
        """The cell of a value that stands in a row of a file."""
        about = f"{self._place}\0{file}\0{row}".encode()
        nonce = hmac.new(self._nonce_key, about, sha256).digest()[:_NONCE_BYTES]
        plain = value.encode() + b"\x80"
        plain += b"\0" * (-len(plain) % _BLOCK)
        box = self._siv.encrypt(plain, self._authenticated(nonce, self._tag))
        return _text(self._tag + nonce + box)

    def open(self, cell: str) -> str:
        """The value. Raises `IntegrityBroken` when it is no cell of this place and key, or was changed."""
        raw = _raw(cell, self._place)
        tag = raw[:TAG_BYTES]
        nonce = raw[TAG_BYTES : TAG_BYTES + _NONCE_BYTES]
        try:
            plain = self._siv.decrypt(raw[TAG_BYTES + _NONCE_BYTES :], self._authenticated(nonce, tag))
        except InvalidTag:
            raise IntegrityBroken(
                "An encrypted value was changed, or belongs to another place.", where=self._place
            ) from None
        return plain.rstrip(b"\0")[:-1].decode()

    def _authenticated(self, nonce: bytes, tag: bytes) -> list[bytes]:
        return [MARK.encode() + tag, self._place.encode(), nonce]


def tag_of(cell: str, place: str = "") -> bytes:
    """What names the key of a cell. Raises `IntegrityBroken` when the text is no cell."""
    return _raw(cell, place)[:TAG_BYTES]


def _text(raw: bytes) -> str:
    return MARK + base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _raw(cell: str, place: str) -> bytes:
    try:
        body = cell.removeprefix(MARK)
        raw = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    # One text for each cell: base64 has bits at its end that say nothing.
    if cell != _text(raw) or len(raw) < TAG_BYTES + _NONCE_BYTES + _BLOCK + 16:
        raise IntegrityBroken("This is no encrypted value.", where=place)
    return raw

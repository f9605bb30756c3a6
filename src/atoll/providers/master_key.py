"""The master key from a file or from the environment: AES-256-GCM.

A sealed secret is: one byte format (1), 8 bytes key id, 12 bytes nonce, then the
ciphertext with its 16-byte tag. Nonces are random: NIST SP 800-38D allows 2**32
seals with one key, and a master key seals one small secret for each domain.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import stat
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from atoll.errors import IntegrityBroken, InvalidInput

_FORMAT = b"\x01"
_ID_LABEL = b"atoll master key id v1\0"
_SEAL_LABEL = b"atoll sealed secret v1\0"
_NONCE_BYTES = 12


class HexMasterKey:
    """A `MasterKey` given as 64 hexadecimal digits, as the environment holds it."""

    def __init__(self, hex: str) -> None:
        """Raises `InvalidInput` when `hex` is not 64 hexadecimal digits."""
        if not re.fullmatch(r"[0-9A-Fa-f]{64}", hex):
            raise InvalidInput("A master key is 64 hexadecimal digits.", todo="Make one with: openssl rand -hex 32")
        key = bytes.fromhex(hex)
        #: First 16 hexadecimal digits of SHA-256 over a label and the key.
        self.key_id = hashlib.sha256(_ID_LABEL + key).hexdigest()[:16]
        # Only the cipher is kept, so that no repr, dump or pickle of this object shows the key.
        self._cipher = AESGCM(key)

    def seal(self, secret: bytes, *, context: str) -> bytes:
        """Encrypt with authentication; `context` must be given again to open."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        head = _FORMAT + bytes.fromhex(self.key_id)
        return head + nonce + self._cipher.encrypt(nonce, secret, head + _SEAL_LABEL + context.encode())

    def open(self, sealed: bytes, *, context: str) -> bytes:
        """The secret. Raises `IntegrityBroken` when the key, context or bytes are wrong."""
        head, nonce, box = sealed[:9], sealed[9 : 9 + _NONCE_BYTES], sealed[9 + _NONCE_BYTES :]
        if head[:1] != _FORMAT or len(nonce) != _NONCE_BYTES:
            raise IntegrityBroken("A sealed secret is not in a form that is known.", where=context)
        if head[1:].hex() != self.key_id:
            raise IntegrityBroken(
                f"The secret was sealed with master key {head[1:].hex()}, and {self.key_id} is in use.",
                where=context,
                todo="Put the master key back that sealed it.",
            )
        try:
            return self._cipher.decrypt(nonce, box, head + _SEAL_LABEL + context.encode())
        except InvalidTag:
            raise IntegrityBroken(
                "A sealed secret was changed, or belongs to something else.",
                where=context,
                todo="Restore the record from a backup.",
            ) from None


class FileMasterKey(HexMasterKey):
    """A `MasterKey` in a file of mode 0600 that holds 64 hexadecimal digits."""

    def __init__(self, path: Path) -> None:
        """Read the key; an absent file is made, with a fresh random key.

        Raises `InvalidInput` when others than its owner may touch the file, or when it
        cannot be read or made; `IntegrityBroken` when it does not hold a key.
        """
        if not path.exists():
            write_once(path, secrets.token_hex(32))
        text = read_private(path)
        try:
            super().__init__(text)
        except InvalidInput:
            raise IntegrityBroken(
                "The master key file does not hold 64 hexadecimal digits.",
                where=str(path),
                todo="Restore it from a backup; a new key opens nothing that the old one sealed.",
            ) from None


def write_once(path: Path, text: str) -> None:
    """Make the key file whole or not at all; if another process makes it first, theirs stands.

    Raises `InvalidInput` when it cannot be made.
    """
    try:
        _make(path, text)
    except OSError as error:
        raise _unopened(path, error) from None


def read_private(path: Path) -> str:
    """The text of a key file. Raises `InvalidInput` when it cannot be read, or others may touch it."""
    try:
        return _read(path).strip()
    except OSError as error:
        raise _unopened(path, error) from None


def _unopened(path: Path, error: OSError) -> InvalidInput:
    return InvalidInput(
        f"The master key file cannot be opened: {error.strerror}.",
        where=str(path),
        todo="Make it readable for the user that Atoll runs as.",
    )


def _make(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        # A link fails when the name is taken, and no reader ever sees half a key.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _read(path: Path) -> str:
    with path.open(encoding="ascii", errors="replace") as file:
        # Asked of the open file, so that it cannot be exchanged between look and read.
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if mode & 0o177:
            raise InvalidInput(
                f"The master key file has mode {mode:04o}, so others may read or change it.",
                where=str(path),
                todo=f"Run: chmod 600 {path}",
            )
        return file.read(4096)

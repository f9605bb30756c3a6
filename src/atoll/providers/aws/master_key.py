"""The master key kept by AWS KMS: a data key that only KMS unwraps.

The data key (AES-256) is made by `GenerateDataKey` and kept beside the records as KMS wrapped
it; that file opens nothing by itself. At start `Decrypt` unwraps it, bound by the encryption
context to its purpose, and it seals as every master key does (`HexMasterKey`). So each start is
on AWS CloudTrail, who may start is said by the policy of the KMS key, and a disabled KMS key
keeps the next process out. A process that runs holds the data key in memory.
Source: AWS KMS Developer Guide, envelope encryption and encryption context.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from atoll.errors import IntegrityBroken, InvalidInput, Unavailable
from atoll.providers.master_key import HexMasterKey, read_private, write_once

_CONTEXT = {"atoll": "master-key"}
_PATIENCE = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3})
#: Answers of KMS by which the wrapped key is not this key's, or was changed.
_WRONG = ("InvalidCiphertextException", "IncorrectKeyException")


class KmsClient(Protocol):
    """What is asked of KMS, as boto3's client answers."""

    def generate_data_key(self, **asked: object) -> Mapping[str, Any]:
        """A fresh data key, open and wrapped."""

    def decrypt(self, **asked: object) -> Mapping[str, Any]:
        """A wrapped one, open."""

    def describe_key(self, **asked: object) -> Mapping[str, Any]:
        """How a key stands."""


@dataclass(frozen=True)
class KmsKey:
    """Which key of KMS, and where it is.

    Attributes:
        name: id, ARN or alias (`alias/atoll`) of a symmetric key.
        region: its region; empty: as the AWS settings of the host say.
        endpoint: URL of KMS, where it is not the region's own (a VPC endpoint).
    """

    name: str
    region: str = ""
    endpoint: str = ""

    def client(self) -> KmsClient:
        """A client with the host's own AWS credentials. Raises `InvalidInput` when the settings do not do."""
        try:
            made: KmsClient = boto3.client(
                "kms", region_name=self.region or None, endpoint_url=self.endpoint or None, config=_PATIENCE
            )
        except (BotoCoreError, ValueError) as error:
            raise InvalidInput(
                f"AWS KMS cannot be asked: {error}",
                where="master_key_kms",
                todo="Set ATOLL_MASTER_KEY_KMS_REGION, or the region of the host's AWS settings.",
            ) from None
        return made


class KmsMasterKey(HexMasterKey):
    """A `MasterKey` whose data key lies wrapped in a file, unwrapped by KMS once."""

    def __init__(self, key: KmsKey, wrapped: Path) -> None:
        """Have KMS unwrap the data key; an absent file is made, with a data key that KMS makes.

        Raises `Unavailable` when KMS does not answer or refuses, `IntegrityBroken` when the file
        is not what this key wrapped, `InvalidInput` when it cannot be read or made, or others may touch it.
        """
        client = key.client()
        if not wrapped.exists():
            made = _asked(
                key, lambda: client.generate_data_key(KeyId=key.name, KeySpec="AES_256", EncryptionContext=_CONTEXT)
            )
            write_once(wrapped, base64.b64encode(made["CiphertextBlob"]).decode())
        try:
            blob = base64.b64decode(read_private(wrapped), validate=True)
        except ValueError:
            raise _broken(wrapped) from None
        opened = _asked(
            key,
            lambda: client.decrypt(CiphertextBlob=blob, KeyId=key.name, EncryptionContext=_CONTEXT),
            wrong=_broken(wrapped),
        )
        super().__init__(opened["Plaintext"].hex())


def standing(key: KmsKey) -> str:
    """In words how the key of KMS stands. Raises `Unavailable`, `InvalidInput` when it cannot serve."""
    told = _asked(key, lambda: key.client().describe_key(KeyId=key.name))["KeyMetadata"]
    if told["KeyState"] != "Enabled":
        raise Unavailable(
            f"The KMS key is {told['KeyState']}.", where=key.name, todo="Enable it, or cancel its deletion, in AWS KMS."
        )
    if told.get("KeySpec", "SYMMETRIC_DEFAULT") != "SYMMETRIC_DEFAULT":
        raise InvalidInput("The KMS key is not symmetric.", where=key.name, todo="Make a key of SYMMETRIC_DEFAULT.")
    return f"{told['Arn']} is enabled"


def _asked(
    key: KmsKey, ask: Callable[[], Mapping[str, Any]], wrong: IntegrityBroken | None = None
) -> Mapping[str, Any]:
    """The answer of KMS; what it refuses, as an error of the house."""
    try:
        return ask()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if wrong is not None and code in _WRONG:
            raise wrong from None
        raise Unavailable(
            f"AWS KMS refuses: {code}.",
            where=key.name,
            todo="See that the key is enabled and its policy lets this host generate data keys, decrypt and describe.",
        ) from None
    except BotoCoreError as error:
        raise Unavailable(
            f"AWS KMS cannot be asked: {type(error).__name__}.",
            where=key.name,
            todo="See that the host has AWS credentials and reaches KMS.",
        ) from None


def _broken(wrapped: Path) -> IntegrityBroken:
    return IntegrityBroken(
        "The wrapped master key is not what this KMS key wrapped.",
        where=str(wrapped),
        todo="Restore the file from a backup, or name the KMS key that it was made with.",
    )

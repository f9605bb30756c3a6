"""The master key by AWS KMS. moto stands in for KMS: an imitation, so what AWS itself does is not proven here."""

from __future__ import annotations

import stat

import boto3
import pytest
from moto import mock_aws

from atoll.errors import IntegrityBroken, InvalidInput, Unavailable
from atoll.providers.aws.master_key import KmsKey, KmsMasterKey, standing
from atoll.settings import Settings
from atoll.wiring import platform

REGION = "eu-west-3"


@pytest.fixture
def kms(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield boto3.client("kms", region_name=REGION)


@pytest.fixture
def key(kms):
    return KmsKey(kms.create_key()["KeyMetadata"]["KeyId"], REGION)


def test_the_data_key_lies_wrapped_and_kms_unwraps_it(key, tmp_path):
    wrapped = tmp_path / "keys" / "master.kms"
    first = KmsMasterKey(key, wrapped)
    sealed = first.seal(b"a secret", context="domain-key/x")
    assert stat.S_IMODE(wrapped.stat().st_mode) == 0o600
    again = KmsMasterKey(key, wrapped)
    assert again.key_id == first.key_id
    assert again.open(sealed, context="domain-key/x") == b"a secret"
    with pytest.raises(IntegrityBroken):
        again.open(sealed, context="domain-key/y")
    assert key.name in standing(key)
    assert "secret" not in repr(again) + str(vars(again))


def test_a_file_that_is_not_of_this_key_is_told(key, kms, tmp_path):
    wrapped = tmp_path / "master.kms"
    KmsMasterKey(key, wrapped)
    other = KmsKey(kms.create_key()["KeyMetadata"]["KeyId"], REGION)
    with pytest.raises((IntegrityBroken, Unavailable)):
        KmsMasterKey(other, wrapped)
    for broken in ("not base64 !", "AAAA"):
        wrapped.write_text(broken)
        with pytest.raises((IntegrityBroken, Unavailable)):
            KmsMasterKey(key, wrapped)
    wrapped.chmod(0o644)
    with pytest.raises(InvalidInput, match="mode 0644"):
        KmsMasterKey(key, wrapped)


def test_a_disabled_absent_or_unreachable_key_is_told(key, kms, tmp_path):
    wrapped = tmp_path / "master.kms"
    KmsMasterKey(key, wrapped)
    kms.disable_key(KeyId=key.name)
    with pytest.raises(Unavailable, match="Disabled"):
        standing(key)
    # That AWS then refuses to decrypt, the imitation does not know.
    with pytest.raises(Unavailable, match="NotFoundException"):
        KmsMasterKey(KmsKey("alias/none", REGION), tmp_path / "none.kms")
    assert not (tmp_path / "none.kms").exists()


def test_nobody_answers(monkeypatch, tmp_path):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    with pytest.raises(Unavailable, match="EndpointConnectionError"):
        KmsMasterKey(KmsKey("alias/atoll", REGION, "http://127.0.0.1:9"), tmp_path / "m.kms")


def test_the_settings_name_one_master_key(key, tmp_path):
    given_ = {"home": tmp_path, "master_key_kms": key.name, "master_key_kms_region": REGION}
    made = platform.master_key(Settings(**given_))
    assert isinstance(made, KmsMasterKey)
    assert (tmp_path / "keys" / "master.kms").exists()
    with pytest.raises(InvalidInput, match="Two master keys"):
        platform.master_key(Settings(**given_, master_key="ab" * 32))

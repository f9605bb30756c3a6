from __future__ import annotations

from datetime import UTC, datetime

import pytest

from atoll.access import second_factor as codes

#: RFC 6238, appendix B: the secret of SHA-1, and (time, the last six of the eight digits).
RFC_SECRET = b"12345678901234567890"
RFC_CODES = [
    (59, "287082"),
    (1111111109, "081804"),
    (1111111111, "050471"),
    (1234567890, "005924"),
    (2000000000, "279037"),
    (20000000000, "353130"),
]


def at(seconds):
    return datetime.fromtimestamp(seconds, UTC)


@pytest.mark.parametrize(("seconds", "code"), RFC_CODES)
def test_the_vectors_of_the_standard(seconds, code):
    assert codes.matching_step(RFC_SECRET, code, at(seconds), 0) == seconds // 30


def test_one_step_either_way_and_no_further():
    seconds, code = RFC_CODES[2]
    step = seconds // 30
    for late, right in ((-60, False), (-30, True), (0, True), (30, True), (60, False)):
        found = codes.matching_step(RFC_SECRET, code, at(step * 30 + late), 0)
        assert (found == step) is right, late


def test_a_step_that_was_used_is_used():
    seconds, code = RFC_CODES[3]
    step = seconds // 30
    assert codes.matching_step(RFC_SECRET, code, at(seconds), step - 1) == step
    assert codes.matching_step(RFC_SECRET, code, at(seconds), step) is None
    assert codes.matching_step(RFC_SECRET, "005 924", at(seconds), 0) == step
    for wrong in ("", "005923", "5924", "０05924", "a" * 500):
        assert codes.matching_step(RFC_SECRET, wrong, at(seconds), 0) is None


def test_recovery_codes_are_many_and_differ():
    made = codes.new_recovery_codes()
    assert len(set(made)) == codes.RECOVERY_CODES == len(set(map(codes.recovery_hash, made)))
    assert codes.recovery_hash(made[0].upper().replace("-", " ")) == codes.recovery_hash(made[0])
    assert codes.recovery_hash("123456") is None


def test_what_an_app_reads():
    uri = codes.uri(RFC_SECRET, "ada@hospital.example")
    assert uri.startswith("otpauth://totp/Atoll:ada%40hospital.example?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")

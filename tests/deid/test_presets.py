"""Presets: data that holds, every rule with its source, and drafts take them."""

from __future__ import annotations

import pytest

from atoll.deid.presets import preset_rule, presets
from atoll.model.contract import Format


def test_each_rule_names_its_source_and_matches_something():
    assert [preset.name for preset in presets()] == ["fhir_r4", "hipaa_safe_harbor", "phuse_sdtm_3_2"]
    for preset in presets():
        for rule in preset.rules:
            assert any(name in rule.source for name in ("HIPAA", "PhUSE", "GDPR")), rule


@pytest.mark.parametrize(
    ("format", "column", "treat"),
    [
        (Format.XPT, "BRTHDTC", "drop"),
        (Format.XPT, "AESTDTC", "shift_date"),
        (Format.XPT, "AESTDY", "keep"),
        (Format.XPT, "AETERM", None),
        (Format.CSV, "AESTDTC", None),
        (Format.CSV, "First_Name", "drop"),
        (Format.CSV, "city", "drop"),
        (Format.CSV, "capacity", None),
        (Format.FHIR, "name[0].family", "drop"),
        (Format.FHIR, "address[0].city", "drop"),
        (Format.FHIR, "address[0].state", None),
        (Format.FHIR, "code.extension[0].valueString", "drop"),
    ],
)
def test_the_first_rule_that_takes_a_column(format, column, treat):
    found = preset_rule(format, column)
    assert (None if found is None else found.rule.treat) == treat

from __future__ import annotations

from decimal import Decimal

import pytest

from atoll.errors import Conflict, InvalidInput
from atoll.workspaces import prices
from atoll.workspaces.sizes import load_sizes

SIZES = {size.name: size for size in load_sizes()}


def test_the_size_that_the_design_names():
    size = SIZES["m5.2xlarge"]
    assert (size.vcpu, size.memory_bytes, size.eur_per_hour) == (8, 32 * 2**30, Decimal("0.35"))
    assert size.family == "m5"


def test_prices_are_linear_in_processors_and_memory():
    for size in SIZES.values():
        gib = Decimal(size.memory_bytes) / 2**30
        linear = Decimal("0.03") * Decimal(str(size.vcpu)) + Decimal("0.0034375") * gib
        assert abs(size.eur_per_hour - linear) <= Decimal("0.00005"), size.name


def test_a_month_of_working_hours_is_a_twelfth_of_52_weeks_of_40_hours():
    assert prices.working_month_eur(SIZES["m5.2xlarge"]) == Decimal("60.67")


def test_only_the_price_in_force_is_confirmed():
    prices.confirm(SIZES["m5.2xlarge"], Decimal("0.350"))
    with pytest.raises(Conflict, match=r"0\.35 EUR an hour, not 0\.30"):
        prices.confirm(SIZES["m5.2xlarge"], Decimal("0.30"))
    with pytest.raises(Conflict, match=r"0\.35"):
        prices.confirm(SIZES["m5.2xlarge"], None)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("sizes: []", "sizes"),
        ("sizes: [{name: a.b, vcpu: 1, memory_gib: 1, eur_per_hour: -1}]", "eur_per_hour"),
        ("sizes: [{name: a.b, vcpu: 0, memory_gib: 1, eur_per_hour: 1}]", "vcpu"),
        ("sizes: [{name: a.b, vcpu: 1, memory_gib: 1, eur_per_hour: NaN}]", "eur_per_hour"),
        ("sizes: [{name: big, vcpu: 1, memory_gib: 1, eur_per_hour: 1}]", "name"),
        ("sizes: [{name: a.b, vcpu: 1, memory_gib: 1, eur_per_hour: 1, gpu: 1}]", "gpu"),
        ("sizes: [", "cannot be read"),
        (
            "sizes: [{name: a.b, vcpu: 1, memory_gib: 1, eur_per_hour: 1}, "
            "{name: a.b, vcpu: 1, memory_gib: 1, eur_per_hour: 1}]",
            "stands twice",
        ),
    ],
)
def test_a_table_that_does_not_hold_is_refused(tmp_path, text, told):
    (tmp_path / "sizes.yaml").write_text(text)
    with pytest.raises(InvalidInput, match=told):
        load_sizes(tmp_path / "sizes.yaml")


def test_a_table_of_ones_own(tmp_path):
    (tmp_path / "sizes.yaml").write_text("sizes: [{name: a.b, vcpu: 0.1, memory_gib: 0.25, eur_per_hour: 0.1}]")
    (size,) = load_sizes(tmp_path / "sizes.yaml")
    assert size.eur_per_hour == Decimal("0.1")
    assert size.memory_bytes == 2**28


def test_a_missing_table_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match="cannot be read"):
        load_sizes(tmp_path / "none.yaml")

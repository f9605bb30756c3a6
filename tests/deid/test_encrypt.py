"""Values encrypted: nobody reads them, only their own key and place open them, and equal ones do not show."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.deid.conftest import contract_text

from atoll.deid import explain, parse_contract
from atoll.deid.cells import MARK, CellCipher, tag_of
from atoll.deid.keyring import derive, key_tag
from atoll.errors import ContractInvalid, IntegrityBroken

KEYS, OTHER = derive("key_one", bytes(32)), derive("key_two", bytes(range(32)))
PLACE = "lab.results.name"
VALUES = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)


@settings(max_examples=60, deadline=None)
@given(VALUES, VALUES, st.integers(1, 2**40))
def test_a_cell_opens_to_its_value_and_tells_nothing_of_it(value, file, row):
    cipher = CellCipher(KEYS, PLACE)
    cell = cipher.encrypt(value, file, row)
    assert cell == cipher.encrypt(value, file, row), "the same admission again gives the same"
    assert cipher.open(cell) == value
    assert tag_of(cell) == key_tag("key_one")
    assert cell != cipher.encrypt(value, file, row + 1), "equal values do not show as equal"
    assert len(cell) == len(cipher.encrypt("x" * (len(value.encode()) // 32 * 32), file, row)), "lengths in steps"
    if len(value) > 5:
        assert value not in cell
    for stranger in (CellCipher(OTHER, PLACE), CellCipher(KEYS, "lab.results.other")):
        with pytest.raises(IntegrityBroken):
            stranger.open(cell)
    at = len(MARK) + row % (len(cell) - len(MARK) - 1)
    changed = cell[:at] + ("A" if cell[at] != "A" else "B") + cell[at + 1 :]
    with pytest.raises(IntegrityBroken):
        cipher.open(changed)


@pytest.mark.parametrize("text", ["", "enc1:", "enc1:AAAA", "enc1:" + "é" * 120, "plain", "enc1:" + "A" * 41])
def test_what_is_no_cell_is_told_as_such(text):
    with pytest.raises(IntegrityBroken):
        CellCipher(KEYS, PLACE).open(text)


def test_a_column_is_encrypted_after_its_checks(admit, keys):
    keys["sealed"] = OTHER
    columns = "NAME: {treat: encrypt, domain: sealed}\nBORN: {treat: encrypt, domain: sealed, type: date, as: birth}"
    done = admit(columns, b"NAME,BORN\nAda,1815-12-10\nAda,1815-12-10\n,\nBen,soon\n", sealed=True)
    assert done.held["rule"].to_list() == ["type"]
    assert done.treated.columns == ["name", "birth"]
    first, second, empty = done.treated["name"].to_list()
    assert empty is None
    assert first != second
    assert [CellCipher(OTHER, PLACE).open(cell) for cell in (first, second)] == ["Ada", "Ada"]
    assert CellCipher(OTHER, "lab.results.birth").open(done.treated["birth"][0]) == "1815-12-10"


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ("A: {treat: encrypt, domain: nowhere}", "`nowhere` is not one"),
        ("A: {treat: encrypt, domain: people}\nB: {treat: pseudonymize, domain: people}", "need their own"),
        ("A: {treat: encrypt, domain: people, unique: true}", "differ in every row"),
    ],
)
def test_the_key_does_nothing_else(columns, words):
    with pytest.raises(ContractInvalid) as caught:
        parse_contract(contract_text(columns))
    assert words in " ".join(caught.value.findings)


def test_explain_says_who_can_open():
    told = explain(parse_contract(contract_text("A: {treat: encrypt, domain: people}")))
    assert "another approves" in told.tables[0].columns[0].words
    assert "nobody opens them" in told.domains["people"]

"""De-identification: contracts, treatments, readers of formats, key ring, reports."""

from atoll.deid.cells import CellCipher, tag_of
from atoll.deid.contracts import contract_json_schema, parse_contract
from atoll.deid.differences import ChangeKind, ContractChange, differences
from atoll.deid.engine import deidentify_file
from atoll.deid.explain import Explanation, explain
from atoll.deid.file_patterns import table_for, tables_for
from atoll.deid.keyring import DomainKey, DomainKeys, KeyRing, pseudonym_digits
from atoll.deid.known_names import KnownNames, gather_names
from atoll.deid.parts import deidentify_parts
from atoll.deid.person_columns import PersonColumns, person_columns
from atoll.deid.report import FileReport
from atoll.deid.schema import table_schema

__all__ = [
    "CellCipher",
    "ChangeKind",
    "ContractChange",
    "DomainKey",
    "DomainKeys",
    "Explanation",
    "FileReport",
    "KeyRing",
    "KnownNames",
    "PersonColumns",
    "contract_json_schema",
    "deidentify_file",
    "deidentify_parts",
    "differences",
    "explain",
    "gather_names",
    "parse_contract",
    "person_columns",
    "pseudonym_digits",
    "table_for",
    "table_schema",
    "tables_for",
    "tag_of",
]

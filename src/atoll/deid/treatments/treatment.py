"""What a compiled treatment consists of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from atoll.deid.keyed import KeyedValue
from atoll.deid.keyring import DomainKeys
from atoll.deid.known_names import KnownNames
from atoll.deid.source_column import Fault
from atoll.model.contract import Domain


@dataclass(frozen=True)
class Subject:
    """Whom the rows of a table are about.

    Attributes:
        key: the String column that holds the subject's id.
        domain: the pseudonymisation domain it belongs to.
    """

    key: str
    domain: str


@dataclass(frozen=True)
class Setting:
    """What treatments may draw on: the domains, their keys, the table's subject, and where the rows stand."""

    domains: Mapping[str, Domain]
    keys: Mapping[str, DomainKeys]
    subject: Subject | None
    #: `dataset.table`.
    table: str
    #: As delivered.
    file_name: str
    #: Names in other tables of the delivery.
    known: KnownNames


@dataclass(frozen=True)
class Treatment:
    """A rule compiled.

    Attributes:
        value: what enters the lake, over the delivered columns and the keyed ones.
        keyed: derived columns that `value` refers to.
        faults: reasons to hold a row that the treatment itself brings.
    """

    value: pl.Expr
    keyed: tuple[KeyedValue, ...] = ()
    faults: tuple[Fault, ...] = ()

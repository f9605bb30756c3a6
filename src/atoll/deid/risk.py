"""How likely it is that somebody is recognised: k-anonymity, l-diversity, sample uniqueness.

Sources: Sweeney, k-Anonymity (2002); Machanavajjhala et al., l-Diversity (2007), distinct
variant; the risks of EMA Policy 0070, external guidance 5.4: 1 / k at most, and on average.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from atoll.deid.risk_groups import Counts, Groups, groups_of
from atoll.deid.schema import lake_name
from atoll.model.contract import Contract, EnteringRule, RiskPolicy
from atoll.model.risk import Diversity, GroupSizes, TableRisk, WithoutColumn

#: First sizes of the histogram's bars; the last is open.
_BARS = (1, 2, 3, 5, 11, 20, 50, 100, 1000)


@dataclass(frozen=True)
class RiskColumns:
    """A table's policy by the names of the lake.

    Attributes:
        quasi_identifiers, sensitive: lake columns.
        subject: the lake column that tells people apart, None where each row counts as one.
    """

    table: str
    policy: RiskPolicy
    quasi_identifiers: tuple[str, ...]
    sensitive: tuple[str, ...]
    subject: str | None

    @property
    def every(self) -> tuple[str, ...]:
        """All columns that are read."""
        subject = () if self.subject is None else (self.subject,)
        return tuple(dict.fromkeys((*self.quasi_identifiers, *self.sensitive, *subject)))


def risk_columns(contract: Contract) -> tuple[RiskColumns, ...]:
    """The tables of the contract that have a risk policy."""
    found = []
    for name, table in contract.tables.items():
        if table.risk is None:
            continue
        names = {
            column: lake_name(column, rule) for column, rule in table.columns.items() if isinstance(rule, EnteringRule)
        }
        found.append(
            RiskColumns(
                table=name,
                policy=table.risk,
                quasi_identifiers=tuple(names[column] for column in table.risk.quasi_identifiers),
                sensitive=tuple(names[column] for column in table.risk.sensitive),
                subject=None if table.subject is None else names[table.subject],
            )
        )
    return tuple(found)


def table_risk(rows: pl.LazyFrame, columns: RiskColumns) -> TableRisk:
    """The figures of a table's treated rows (the lake's columns, those of `columns.every` at least)."""
    groups = groups_of(rows, columns.quasi_identifiers, columns.sensitive, columns.subject)
    sizes, least = groups.people, columns.policy.min_k
    people, smallest = int(sizes.sum()), _least(sizes)
    figures = {
        "smallest_group": smallest,
        "people": people,
        "people_under_k": int(sizes[sizes < least].sum()),
        "unique_people": int((sizes == 1).sum()),
        "average_risk": round(len(sizes) / people, 6) if people else 0.0,
    }
    diversity = tuple(_diversity(groups, name, columns.policy.min_l) for name in columns.sensitive)
    return TableRisk(
        table=columns.table,
        counted_by=columns.subject,
        quasi_identifiers=columns.quasi_identifiers,
        policy=columns.policy,
        rows=groups.rows,
        groups=len(sizes),
        highest_risk=round(1 / smallest, 6) if smallest else 0.0,
        sizes=_histogram(sizes),
        diversity=diversity,
        without=tuple(_without(groups, columns, name) for name in columns.quasi_identifiers),
        exceeded=tuple(_exceeded(columns, figures, diversity)),
        **figures,
    )


def _least(sizes: Counts) -> int:
    return int(sizes.min()) if len(sizes) else 0


def _histogram(sizes: Counts) -> tuple[GroupSizes, ...]:
    bars = []
    for low, after in zip(_BARS, (*_BARS[1:], None), strict=True):
        within = sizes[(sizes >= low) & (sizes < after)] if after is not None else sizes[sizes >= low]
        high = None if after is None else after - 1
        bars.append(GroupSizes(low=low, high=high, groups=len(within), people=int(within.sum())))
    return tuple(bars)


def _diversity(groups: Groups, column: str, asked: int | None) -> Diversity:
    found = groups.diversity[column]
    under = None if asked is None else int(groups.people[found < asked].sum())
    return Diversity(column=column, least=_least(found), people_under=under)


def _without(groups: Groups, columns: RiskColumns, left_out: str) -> WithoutColumn:
    sizes = groups.without[left_out]
    return WithoutColumn(
        column=left_out,
        values=groups.values[left_out],
        smallest_group=_least(sizes),
        people_under_k=int(sizes[sizes < columns.policy.min_k].sum()),
    )


def _exceeded(
    columns: RiskColumns, figures: Mapping[str, int | float], diversity: tuple[Diversity, ...]
) -> Iterator[str]:
    policy, people = columns.policy, figures["people"]
    if not people:
        return
    by = " x ".join(columns.quasi_identifiers)
    under, unique = figures["people_under_k"], figures["unique_people"]
    if under:
        yield (
            f"{under} of {people} people stand in groups of fewer than {policy.min_k} by {by}; "
            f"the smallest group has {figures['smallest_group']}."
        )
    if figures["average_risk"] > policy.max_risk:
        yield f"The average risk by {by} is {figures['average_risk']:.3g}; at most {policy.max_risk:g} is allowed."
    if policy.max_unique is not None and unique / people > policy.max_unique:
        yield f"{unique} of {people} people are alone in their group; at most {policy.max_unique:.2%} may be."
    for one in diversity:
        if policy.min_l is not None and one.least < policy.min_l:
            yield (
                f"{one.people_under} of {people} people stand in groups with fewer than {policy.min_l} "
                f"different values of {one.column}."
            )

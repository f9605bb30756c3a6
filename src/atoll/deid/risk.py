"""How likely it is that somebody is recognised: k-anonymity, l-diversity, sample uniqueness.

Sources: Sweeney, k-Anonymity (2002); Machanavajjhala et al., l-Diversity (2007), distinct
variant; the risks of EMA Policy 0070, external guidance 5.4: 1 / k at most, and on average.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from atoll.deid.schema import lake_name
from atoll.model.contract import Contract, EnteringRule, RiskPolicy
from atoll.model.risk import Diversity, GroupSizes, TableRisk, WithoutColumn

#: First sizes of the histogram's bars; the last is open.
_BARS = (1, 2, 3, 5, 11, 20, 50, 100, 1000)
_PEOPLE = "__people"
_ROWS = "__rows"
_KEY = "__key"
_SUBJECT = "__subject"


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
    groups = _groups(rows, columns)
    sizes = groups[_PEOPLE]
    people, smallest = int(sizes.sum()), int(sizes.min() or 0)  # type: ignore[arg-type]
    least = columns.policy.min_k
    figures = {
        "smallest_group": smallest,
        "people": people,
        "people_under_k": int(sizes.filter(sizes < least).sum()),
        "unique_people": int((sizes == 1).sum()),
        "average_risk": round(groups.height / people, 6) if people else 0.0,
    }
    diversity = tuple(_diversity(groups, name, columns.policy.min_l) for name in columns.sensitive)
    return TableRisk(
        table=columns.table,
        counted_by=columns.subject,
        quasi_identifiers=columns.quasi_identifiers,
        policy=columns.policy,
        rows=int(groups[_ROWS].sum()),
        groups=groups.height,
        highest_risk=round(1 / smallest, 6) if smallest else 0.0,
        sizes=_histogram(sizes),
        diversity=diversity,
        without=tuple(_without(groups, columns, name) for name in columns.quasi_identifiers),
        exceeded=tuple(_exceeded(columns, figures, diversity)),
        **figures,
    )


def _groups(rows: pl.LazyFrame, columns: RiskColumns) -> pl.DataFrame:
    """A row for each group: `__key`, rows, people, a hash of each quasi-identifier, and `__l_<sensitive>`.

    Values are hashed to 64 bits, each column by a seed of its own, and a group's key is the sum
    of its hashes: to group by one number is ten times cheaper than by six columns, and a column
    is left out by taking its hash off. Of ten million groups two meet with a chance of 3 in a million.
    """
    keys = [pl.col(name).hash(seed=seed).alias(name) for seed, name in enumerate(columns.quasi_identifiers)]
    others = [pl.col(name).hash().alias(f"__v_{name}") for name in columns.sensitive]
    who = [] if columns.subject is None else [pl.col(columns.subject).hash().alias(_SUBJECT)]
    hashed = rows.select(*keys, *others, *who).with_columns(pl.sum_horizontal(columns.quasi_identifiers).alias(_KEY))
    firsts = [pl.col(name).first() for name in columns.quasi_identifiers]
    wanted = [hashed.group_by(_KEY).agg(pl.len().alias(_ROWS), *firsts)]
    if who:
        wanted.append(hashed.select(pl.col(_SUBJECT).n_unique()))
    wanted += [
        hashed.select(_KEY, f"__v_{name}").unique().group_by(_KEY).agg(pl.len().alias(f"__l_{name}"))
        for name in columns.sensitive
    ]
    groups, *more = pl.collect_all(wanted, engine="streaming")
    subjects = int(more.pop(0).item()) if who else None
    for found in more:
        groups = groups.join(found, on=_KEY, how="left")
    if subjects is None or subjects == groups[_ROWS].sum():
        return groups.with_columns(pl.col(_ROWS).alias(_PEOPLE))  # one row for each person, as is usual
    people = hashed.select(_KEY, _SUBJECT).unique().group_by(_KEY).agg(pl.len().alias(_PEOPLE))
    return groups.join(people.collect(engine="streaming"), on=_KEY, how="left")


def _histogram(sizes: pl.Series) -> tuple[GroupSizes, ...]:
    bars = []
    for low, after in zip(_BARS, (*_BARS[1:], None), strict=True):
        within = sizes.filter((sizes >= low) & (sizes < after)) if after is not None else sizes.filter(sizes >= low)
        high = None if after is None else after - 1
        bars.append(GroupSizes(low=low, high=high, groups=len(within), people=int(within.sum())))
    return tuple(bars)


def _diversity(groups: pl.DataFrame, column: str, asked: int | None) -> Diversity:
    found = groups[f"__l_{column}"]
    under = None if asked is None else int(groups[_PEOPLE].filter(found < asked).sum())
    return Diversity(column=column, least=int(found.min() or 0), people_under=under)  # type: ignore[arg-type]


def _without(groups: pl.DataFrame, columns: RiskColumns, left_out: str) -> WithoutColumn:
    """Groups united over one column; a person in two of them counts in both, as before."""
    united = groups.lazy().group_by(pl.col(_KEY) - pl.col(left_out)).agg(pl.col(_PEOPLE).sum())
    sizes = united.collect(engine="streaming")[_PEOPLE]
    return WithoutColumn(
        column=left_out,
        values=groups[left_out].n_unique(),
        smallest_group=int(sizes.min() or 0),  # type: ignore[arg-type]
        people_under_k=int(sizes.filter(sizes < columns.policy.min_k).sum()),
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

"""Contracts drafted from samples: a person reads, mends and proposes them.

A draft errs on the side of letting nothing in: what is not plainly harmless is dropped,
with the reason beside it. It never holds a value of the sample.
"""

from atoll.deid.draft.drafting import Draft, DraftedColumn, SampleFile, draft_contract

__all__ = ["Draft", "DraftedColumn", "SampleFile", "draft_contract"]

"""The airlock's room: encrypted, immutable files, and the checks that look into them."""

from atoll.airlock.job import Earlier, Job, Limits, Pseudonym
from atoll.airlock.names import safe_name
from atoll.airlock.preview_shape import Preview
from atoll.airlock.process import check_file, preview_file
from atoll.airlock.vault import Vault

__all__ = ["Earlier", "Job", "Limits", "Preview", "Pseudonym", "Vault", "check_file", "preview_file", "safe_name"]

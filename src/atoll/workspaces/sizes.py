"""The table of sizes, read from YAML."""

from __future__ import annotations

import re
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pydantic
import yaml
from pydantic import Field

from atoll.errors import InvalidInput
from atoll.model.record import Frozen
from atoll.model.workspace import Size

#: The table that ships with Atoll.
SHIPPED = Path(__file__).parent / "sizes.yaml"

_NAME = r"^[a-z][a-z0-9]*\.[a-z0-9]+$"
_GIB = 2**30


class _Line(Frozen):
    """A line of the table."""

    name: str = Field(pattern=_NAME)
    vcpu: float = Field(gt=0, le=1024)
    memory_gib: Decimal = Field(gt=0, le=65_536)
    eur_per_hour: Decimal = Field(ge=0, allow_inf_nan=False)

    def size(self) -> Size:
        return Size(
            name=self.name,
            family=re.split(r"\.", self.name)[0],
            vcpu=self.vcpu,
            memory_bytes=int(self.memory_gib * _GIB),
            eur_per_hour=self.eur_per_hour,
        )


class _Table(Frozen):
    """The whole file."""

    sizes: tuple[_Line, ...] = Field(min_length=1)


def load_sizes(path: Path | None = None) -> tuple[Size, ...]:
    """Every size of the table (None: the shipped one), in its order.

    Raises `InvalidInput` when the file cannot be read, a line does not hold, or a name stands twice.
    """
    path = path or SHIPPED
    try:
        # BaseLoader leaves numbers as text, so that a price becomes a Decimal and never a float.
        table = _Table.model_validate(yaml.load(path.read_text("utf-8"), Loader=yaml.BaseLoader))  # noqa: S506
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise _refused(path, f"it cannot be read ({type(error).__name__})") from None
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        raise _refused(path, f"{'.'.join(map(str, first['loc'])) or 'the file'}: {first['msg']}") from None
    twice = sorted(name for name, times in Counter(line.name for line in table.sizes).items() if times > 1)
    if twice:
        raise _refused(path, f"{twice[0]} stands twice")
    return tuple(line.size() for line in table.sizes)


def _refused(path: Path, why: str) -> InvalidInput:
    return InvalidInput(
        f"The table of sizes does not hold: {why}.", where=str(path), todo="Mend the file and start again."
    )

"""FHIR R4 bulk exports: newline-delimited resources of one type.

Source of the form: HL7, FHIR Bulk Data Access (Flat FHIR) 2.0, ndjson, one resource type
a file. References stay as they are written; the treatment reduces them to ids.
"""

from __future__ import annotations

from pathlib import Path

from atoll.deid.readers.ndjson import read_ndjson, read_resources
from atoll.model.contract import TableContract
from atoll.model.identified import IdentifiedBatch


def read_fhir(path: Path, table: TableContract) -> IdentifiedBatch:
    """The resources of a file, lazily, as `read_ndjson` reads rows.

    `resourceType` needs no rule. A resource of another type than the table's `resource`
    is malformed (rule `resource_type`).

    Raises:
        ContractInvalid: a rule's path is no path.
    """
    if table.resource is None:
        return read_ndjson(path, table)
    return read_resources(path, table, table.resource)

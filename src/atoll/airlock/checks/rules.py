"""Every check with how much it weighs, as data: on the way out, and on the way in.

None means that it is not looked for that way. What `refuse`s no reviewer can let through:
it stands for what is certain, or what no reviewer could see. What is likely only `warn`s.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from atoll.model.airlock import Severity

_REFUSE, _WARN, _INFO = Severity.REFUSE, Severity.WARN, Severity.INFO


class Rule(NamedTuple):
    """How much a check weighs each way, and what it is about."""

    out: Severity | None
    into: Severity | None
    help: str


RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "type_not_allowed": Rule(_REFUSE, _REFUSE, "The form of the file is none that can be checked."),
        "type_mismatch": Rule(_REFUSE, _REFUSE, "The content is not what the name's ending says."),
        "unreadable": Rule(_REFUSE, _REFUSE, "The file cannot be read as what it says it is, so not be checked."),
        "too_large": Rule(_REFUSE, _REFUSE, "The file needs more time or memory than a check may use."),
        "pickle": Rule(_REFUSE, _REFUSE, "A pickle runs code when it is opened."),
        "executable": Rule(_REFUSE, _REFUSE, "A program."),
        "archive_bomb": Rule(_REFUSE, _REFUSE, "An archive that unpacks to far more than it holds."),
        "archive_path": Rule(_REFUSE, _REFUSE, "An archive's member that would land elsewhere, a link, or encrypted."),
        "nested_archive": Rule(_REFUSE, _REFUSE, "An archive within an archive."),
        "hidden_archive": Rule(_REFUSE, _REFUSE, "An archive behind or within a file of another form."),
        "trailing_bytes": Rule(_REFUSE, _REFUSE, "Bytes behind the end of the file's form, or before its start."),
        "macros": Rule(_REFUSE, _REFUSE, "An Office document with macros, controls or embedded objects."),
        "hidden_sheet": Rule(_REFUSE, _WARN, "A sheet, row or column that is hidden."),
        "hidden_text": Rule(_REFUSE, _WARN, "Text that is there but not shown."),
        "pivot_cache": Rule(_REFUSE, _WARN, "A pivot table that carries the rows it was made of."),
        "external_link": Rule(_WARN, _REFUSE, "A document that fetches something when it is opened."),
        "active_content": Rule(_REFUSE, _REFUSE, "Scripts or actions that run when the file is opened."),
        "script": Rule(_WARN, _REFUSE, "A page with scripts, which may hold the data that it draws."),
        "embedded_file": Rule(_REFUSE, _REFUSE, "A file within the file."),
        "embedded_data": Rule(_WARN, _WARN, "Data within the file that is not seen when it is read."),
        "encrypted": Rule(_REFUSE, _REFUSE, "Nobody can look into an encrypted file."),
        "comments": Rule(_WARN, _INFO, "Comments or tracked changes."),
        "metadata": Rule(_WARN, _INFO, "Descriptions of how, where or by whom the file was made."),
        "earlier_content": Rule(_WARN, _INFO, "A document that keeps earlier states of itself."),
        "notebook_outputs": Rule(_WARN, _INFO, "A notebook with results of its cells, which may be rows."),
        "small_cells": Rule(_REFUSE, None, "A count below the threshold: so few people may be known."),
        "small_numbers": Rule(_WARN, None, "Small whole numbers that may be counts of people."),
        "row_level": Rule(_REFUSE, None, "Rows that each stand for one person, visit or measurement."),
        "many_rows": Rule(_WARN, None, "A table longer than results mostly are."),
        "identifier": Rule(_REFUSE, _REFUSE, "Something that names a person: an e-mail address, a national number."),
        "pseudonym": Rule(_REFUSE, _WARN, "A pseudonym of one of the platform's domains."),
        "identifier_column": Rule(_REFUSE, _WARN, "A column whose name says that it identifies people."),
        "likely_identifier": Rule(_WARN, _WARN, "Something that looks like a telephone number, an address, a key."),
        "dates": Rule(_WARN, None, "A column of many exact days."),
        "difference": Rule(_WARN, None, "Together with an earlier release, a difference of few people can be told."),
        "released_before": Rule(_INFO, None, "The same file, or the same table, was released before."),
        "virus": Rule(None, _REFUSE, "The virus scanner knows it."),
        "not_scanned": Rule(None, _INFO, "No virus scanner is installed, so none looked."),
        "contents": Rule(_INFO, _INFO, "What was found in the file, for orientation."),
    }
)

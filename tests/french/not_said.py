"""Texts that read like words and are none that a page shows: why, and which."""

from __future__ import annotations

NOT_SAID = frozenset(
    {
        # Put together with others: `composed.yaml` has the whole.
        "{many}this looks like {words}.",
        "A code becomes its class{of}: {shown}; {rest}.",
        "Becomes empty where",
        # Descriptions of answers in openapi.json.
        "A dry run: what it would come to",
        "An error",
        "Not ready",
        "One entry a line",
        "The content",
        "The delivery was there already",
        "The picture",
        "The result, streamed. `X-Atoll-Query-Id` names the query, see `GET /queries/{id}`.",
        "The result.",
        "To the issuer, or to a page of the platform",
        # Logs and figures of the process.
        "(message of a library, withheld)",
        "An error was caught by nobody.",
        "WebSockets open.",
        # Values of data, names of standards and of libraries.
        "before {earliest}",
        "E.3.5, Clean Descriptors",
        "E.3.6, Retain Longitudinal Temporal Information With Full Dates",
        "E.3.7, Retain Patient Characteristics",
        "E.3.8, Retain Device Identity",
        "E.3.9, Retain UIDs",
        "E.3.11, Retain Institution Identity",
        "Estimated Cardinality",
        "Image Storage",
        "R base compiler datasets graphics grDevices grid methods parallel splines stats stats4 tcltk tools utils",
        "expression depth",
        "not implemented",
        "HIPAA 164.514(b)(2)(i)",
        "{hipaa}(A) to (R)",
        # Lines of files and of protocols, addresses of records.
        "id -u",
        "{part} AS c{i}",
        "AS OF",
        "Created-By: Packages",
        "READ COMMITTED",
        "atoll sign-on {use}",
        "csv: {separator: {separator}, encoding: {encoding}}",
        "dataset/{id}, grant/{id_2}",
        "default-src {here} 'unsafe-inline' 'unsafe-eval'",
        "errno {get_errno}",
        "its {what}",
        "dataset/{dataset}, grant/{id}",
        "limit={limit}, offset={offset}",
        "not let through: {end}",
        "subjects, values, whole",
        "text frame",
        "text in",
        "text out",
        "timestamp with time zone",
        "openid profile email",
        "prctl {option}",
        "project/{name}, dataset/{dataset}",
        "project/{project}, dataset/{dataset}",
        "throttled {address}",
        "{json}, {html};q=0.2, text/html;q=0.1",
        # A fault of the code, never of what somebody asked.
        "The query's figures stand when its last batch was read.",
    }
)

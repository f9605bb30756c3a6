"""What software is in an image, as SPDX 2.3 (ISO/IEC 5962)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

_PINNED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)", re.MULTILINE)


def bill_of_materials(name: str, fingerprint: str, packages: Iterable[Mapping[str, str]], lock: str) -> dict[str, Any]:
    """The bill of one image: `packages` by dpkg (name, version), and a lock of pinned Python packages.

    The lock is of every system, so that a few packages of other systems are listed too.
    """
    found = [_package("deb/debian", one["name"], one["version"]) for one in packages]
    found += [_package("pypi", match[1].lower(), match[2]) for match in _PINNED.finditer(lock)]
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": name,
        "documentNamespace": f"urn:atoll:image:{name}:{fingerprint}",
        "creationInfo": {"created": "1970-01-01T00:00:00Z", "creators": ["Tool: atoll"]},
        "packages": found,
        "relationships": [
            {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": one["SPDXID"]}
            for one in found
        ],
    }


def _package(kind: str, name: str, version: str) -> dict[str, Any]:
    identity = re.sub(r"[^A-Za-z0-9.-]", "-", f"{kind}-{name}")
    return {
        "SPDXID": f"SPDXRef-{identity}",
        "name": name,
        "versionInfo": version,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "externalRefs": [
            {
                "referenceCategory": "PACKAGE-MANAGER",
                "referenceType": "purl",
                "referenceLocator": f"pkg:{kind}/{name}@{version}",
            }
        ],
    }

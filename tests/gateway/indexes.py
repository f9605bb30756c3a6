"""Small indexes of packages, made by the tests: real wheels and tarballs with real hashes."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import tarfile
import zipfile
from typing import Any


def wheel(name: str, version: str) -> bytes:
    """An installable wheel with one module that tells its version."""
    module, info = name.replace("-", "_"), f"{name.replace('-', '_')}-{version}.dist-info"
    files = {
        f"{module}.py": f'VERSION = "{version}"\n',
        f"{info}/METADATA": metadata(name, version).decode(),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path, (2030, 1, 1, 0, 0, 0)), text)
    return made.getvalue()


def metadata(name: str, version: str) -> bytes:
    return f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def add_to_pypi(server: Any, name: str, versions: dict[str, str | None], **more: Any) -> None:
    """Versions with their upload time; pages and files go to the local server."""
    files = []
    for version, uploaded in versions.items():
        file = f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
        content = wheel(name, version)
        server.pages[f"/files/{file}"] = content
        server.pages[f"/files/{file}.metadata"] = metadata(name, version)
        entry = {
            "filename": file,
            "url": f"../../files/{file}",
            "hashes": {"sha256": sha256(content)},
            "core-metadata": {"sha256": sha256(metadata(name, version))},
            "requires-python": ">=3.8",
            "yanked": False,
            "size": len(content),
        } | more
        if uploaded:
            entry["upload-time"] = uploaded
        files.append(entry)
    page = {"meta": {"api-version": "1.1"}, "name": name, "versions": list(versions), "files": files}
    body = json.dumps(page).encode()
    kind = "application/vnd.pypi.simple.v1+json"
    server.pages[f"/pypi/{name}/"] = lambda _: (200, {"Content-Type": kind}, body)


def npm_tarball(name: str, version: str) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for path, text in {
            "package/package.json": json.dumps({"name": name, "version": version, "main": "index.js"}),
            "package/index.js": f'module.exports = "{version}";\n',
        }.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return gzip.compress(made.getvalue(), mtime=0)


def add_to_npm(server: Any, name: str, versions: dict[str, str], latest: str) -> None:
    """Versions with their time; the page and tarballs go to the local server."""
    page: dict[str, Any] = {"name": name, "dist-tags": {"latest": latest}, "versions": {}, "time": dict(versions)}
    base = name.rpartition("/")[2]
    for version in versions:
        content = npm_tarball(name, version)
        path = f"/tarballs/{name}/{base}-{version}.tgz"
        server.pages[path] = content
        page["versions"][version] = {
            "name": name,
            "version": version,
            "readme": "long",
            "dist": {
                "tarball": server.url + path,
                "integrity": "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode(),
            },
        }
    server.pages[f"/npm/{name.replace('/', '%2F')}"] = json.dumps(page).encode()


def r_tarball(name: str, version: str, imports: str = "") -> bytes:
    """A source package of R with one function that tells its version."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for path, text in {
            f"{name}/DESCRIPTION": description(name, version, imports),
            f"{name}/NAMESPACE": "export(told)\n",
            f"{name}/R/told.R": f'told <- function() "{version}"\n',
        }.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return gzip.compress(made.getvalue(), mtime=0)


def description(name: str, version: str, imports: str = "", published: str = "2029-01-01 10:00:00 UTC") -> str:
    needs = f"Imports: {imports}\n" if imports else ""
    return (
        f"Package: {name}\nVersion: {version}\nTitle: T\nDescription: Some\n  words.\nLicense: GPL-3\n{needs}"
        f"Author: A\nMaintainer: A <a@atoll.invalid>\nNeedsCompilation: no\nDate/Publication: {published}\n"
    )


def add_to_cran(server: Any, name: str, version: str, imports: str = "", **more: str) -> None:
    server.pages[f"/cran/web/packages/{name}/DESCRIPTION"] = description(name, version, imports, **more).encode()
    server.pages[f"/cran/src/contrib/{name}_{version}.tar.gz"] = r_tarball(name, version, imports)

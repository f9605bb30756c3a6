"""Write what is generated from the code: openapi.json, the TypeScript schema, docs/reference.

With `--check` nothing is written; a file that is not as the code would have it is named,
and the exit code is 1.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from reference import api, cli, contract, errors, product, scopes, settings

ROOT = Path(__file__).resolve().parents[1]
WEB = ROOT / "web"
SCHEMA = "web/src/api/schema.d.ts"

PAGES: Mapping[str, Callable[[], str]] = {
    "openapi.json": api.openapi_text,
    "docs/reference/api.md": api.api_page,
    "docs/reference/cli.md": cli.cli_page,
    "docs/reference/contract.md": contract.contract_page,
    "docs/reference/contract.schema.json": contract.contract_schema,
    "docs/reference/errors.md": errors.errors_page,
    "docs/reference/exit-codes.md": cli.exit_codes_page,
    "docs/reference/product.md": product.product_page,
    "docs/reference/product.schema.json": product.product_schema,
    "docs/reference/scopes.md": scopes.scopes_page,
    "docs/reference/settings.md": settings.settings_page,
}


def main() -> int:
    """Write or check; 0 when all is as it should be."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--check", action="store_true", help="write nothing, fail when a file is out of date")
    check: bool = parser.parse_args().check
    with tempfile.TemporaryDirectory() as made_in:
        made = Path(made_in)
        for name, write in PAGES.items():
            _put(made / name, write())
        _typescript(made / "openapi.json", made / SCHEMA)
        names = [*PAGES, SCHEMA]
        stale = [name for name in names if _bytes(ROOT / name) != _bytes(made / name)]
        extra = sorted(
            path.relative_to(ROOT).as_posix()
            for path in (ROOT / "docs" / "reference").iterdir()
            if path.relative_to(ROOT).as_posix() not in PAGES
        )
        if check:
            return _tell(stale, extra)
        for name in stale:
            _put(ROOT / name, (made / name).read_text())
            print(f"Wrote {name}")
        for name in extra:
            (ROOT / name).unlink()
            print(f"Removed {name}")
    return 0


def _tell(stale: list[str], extra: list[str]) -> int:
    for name in stale:
        print(f"{name} is out of date: run `make generate`.", file=sys.stderr)
    for name in extra:
        print(f"{name} is written by nothing: run `make generate`.", file=sys.stderr)
    if not stale and not extra:
        print(f"{len(PAGES) + 1} generated files are up to date.")
    return 1 if stale or extra else 0


def _typescript(openapi: Path, schema: Path) -> None:
    schema.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        [str(WEB / "node_modules" / ".bin" / "openapi-typescript"), str(openapi), "--output", str(schema)],
        check=True,
        stdout=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
    )


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


if __name__ == "__main__":
    sys.exit(main())

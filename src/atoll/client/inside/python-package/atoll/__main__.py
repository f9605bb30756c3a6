"""`python -m atoll airlock request FILE... --purpose WHY --destination WHERE`, and `... airlock show REQUEST`."""

from __future__ import annotations

import argparse
import sys

from . import AtollError, airlock


def main() -> int:
    """Read the command, do it, print what became of it."""
    parser = argparse.ArgumentParser(prog="python -m atoll")
    nouns = parser.add_subparsers(required=True)
    verbs = nouns.add_parser("airlock", help="The only way out of the project.").add_subparsers(required=True)
    ask = verbs.add_parser("request", help="Ask for files to leave the project.")
    ask.add_argument("files", nargs="+", metavar="FILE")
    ask.add_argument("--purpose", required=True, help="What for.")
    ask.add_argument("--destination", required=True, help="Where the files go, and to whom.")
    ask.set_defaults(do=lambda said: airlock.request(said.files, purpose=said.purpose, destination=said.destination))
    look = verbs.add_parser("show", help="What became of a request.")
    look.add_argument("request", metavar="REQUEST")
    look.set_defaults(do=lambda said: airlock.show(said.request))
    said = parser.parse_args()
    try:
        found = said.do(said)
    except AtollError as error:
        print(f"{error} [{error.code}]", file=sys.stderr)
        return 1
    print(f"{found['id']}\t{found['state']}")
    for file in found["files"]:
        print(f"  {file['index']}\t{file['name']}\t{file['sha256'][:12]}")
        for finding in file["findings"] or ():
            print(f"    {finding['severity']}\t{finding['check']}\t{finding['where']}\t{finding['message']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Rules that hold for every file of the project."""

from __future__ import annotations

import re

#: Written in pieces, so that this file does not find itself.
REGISTRIES = [
    "py" + "pi.org",
    "python" + "hosted",
    "registry." + "npmjs",
    "npm" + "js.com",
    "deb." + "debian",
    "crates" + ".io",
    "--index" + "-url http",
    "--find" + "-links",
    '"resol' + 'ved": ',
]
PLACES = [r"(?<![\w.])/" + place + r"/" for place in ("work", "root", "home/[a-z]", "Users")] + ["[A-Z]:" + r"\\Users"]
#: Words about how the project was made; they tell its readers nothing.
WORKSHOP = [
    r"\.lib" + "rary/",
    "issues" + " show",
    r"\bC" + r"EO\b",
    "Cla" + "ude",
    "the br" + "ief",
    r"\.\./sha" + "red",
]
LINES_MAX = 500
GENERATED = {"openapi.json", "web/src/api/schema.d.ts"}
LOCKS = {
    "requirements.lock",
    "requirements-dev.lock",
    "web/package-lock.json",
    "src/atoll/providers/sandbox/environments/jupyter.lock",
}
#: Data that others made, kept as it came.
DATA = ("examples/",)


def texts(root, committed):
    for path in committed:
        try:
            yield path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def test_no_file_names_a_registry_or_a_download_address(root, committed):
    found = [f"{name}: {word}" for name, text in texts(root, committed) for word in REGISTRIES if word in text]
    assert found == []


def test_no_file_names_a_path_of_somebodys_machine(root, committed):
    found = [
        f"{name}: {match.group(0)}"
        for name, text in texts(root, committed)
        for place in PLACES
        for match in re.finditer(place, text)
    ]
    assert found == []


def test_no_file_speaks_of_the_workshop(root, committed):
    found = [
        f"{name}: {match.group(0)}"
        for name, text in texts(root, committed)
        if not name.startswith(DATA)
        for word in WORKSHOP
        for match in re.finditer(word, text)
    ]
    assert found == []


def test_locks_pin_every_package_with_hashes(root):
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (root / name).read_text()
        packages = re.split(r"\n(?=[a-z0-9])", text.strip(), flags=re.IGNORECASE)
        assert len(packages) > 30
        for package in packages:
            assert re.match(r"[A-Za-z0-9._\[\]-]+==\S+", package), package.splitlines()[0]
            assert "--hash=sha256:" in package, package.splitlines()[0]


def test_the_runtime_lock_is_part_of_the_other(root):
    def pins(name):
        return set(re.findall(r"^([A-Za-z0-9._-]+==\S+)", (root / name).read_text(), flags=re.MULTILINE))

    assert pins("requirements.lock") < pins("requirements-dev.lock")


def test_every_declared_dependency_is_locked(root):
    import tomllib

    project = tomllib.loads((root / "pyproject.toml").read_text())
    groups = project["dependency-groups"]
    for lock, wanted in {
        "requirements.lock": project["project"]["dependencies"] + groups["build"],
        "requirements-dev.lock": project["project"]["dependencies"] + groups["build"] + groups["dev"],
    }.items():
        pinned = {
            name.lower().replace(".", "-").replace("_", "-")
            for name in re.findall(r"^([A-Za-z0-9._-]+)==", (root / lock).read_text(), flags=re.MULTILINE)
        }
        for requirement in wanted:
            name = re.match(r"[A-Za-z0-9._-]+", requirement).group(0).lower().replace(".", "-").replace("_", "-")
            assert name in pinned, f"{name} is not in {lock}; run `make lock`"


def test_files_are_short_enough_to_read(root, committed):
    long = {
        name: lines
        for name, text in texts(root, committed)
        if name not in GENERATED | LOCKS and not name.startswith(("docs/reference/", *DATA))
        if (lines := text.count("\n")) > LINES_MAX
    }
    assert long == {}


def test_no_module_is_a_drawer(root, committed):
    drawers = {"utils", "util", "common", "helpers", "helper", "misc"}
    found = [p.relative_to(root).as_posix() for p in committed if p.suffix == ".py" and p.stem in drawers]
    assert found == []


def test_decisions_are_short_and_numbered(root):
    files = sorted((root / "docs" / "decisions").glob("[0-9]*.md"))
    assert [int(path.name[:4]) for path in files] == list(range(1, len(files) + 1))
    for path in files:
        lines = path.read_text().splitlines()
        assert len(lines) <= 12, path.name
        assert lines[0].startswith(f"# {int(path.name[:4])}. "), path.name


def test_links_between_documents_lead_somewhere(root, committed):
    broken = []
    for path in committed:
        if path.suffix != ".md":
            continue
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text()):
            if "://" not in target and not (path.parent / target).exists():
                broken.append(f"{path.relative_to(root)}: {target}")
    assert broken == []

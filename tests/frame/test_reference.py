"""What is not documented does not exist; what is documented is so."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys

import pytest
import typer.main

from atoll.access.scopes import Scope
from atoll.deid import contract_json_schema
from atoll.settings import Settings
from atoll.wiring import command_line


@pytest.fixture
def reference(root):
    return root / "docs" / "reference"


def test_every_setting_has_help_and_is_documented(reference):
    text = (reference / "settings.md").read_text()
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert f"`ATOLL_{name.upper()}`" in text, name
        assert " ".join(field.description.split()).replace("|", "\\|") in text, name


def every_command(command, name):
    children = getattr(command, "commands", None)
    if children is None:
        return [(name, command)]
    return [pair for word, child in children.items() for pair in every_command(child, f"{name} {word}")]


def test_every_command_has_help_and_is_documented(reference):
    text = (reference / "cli.md").read_text()
    found = every_command(typer.main.get_command(command_line()), "atoll")
    assert len(found) > 20
    for name, command in found:
        assert command.help, name
        assert f"\n## {name}\n" in text, name
        for parameter in command.params:
            assert parameter.help, f"{name} {parameter.name}"
            options = [option for option in parameter.opts if option.startswith("-")]
            assert all(option in text for option in options), f"{name} {parameter.name}"
    assert "\n## atoll up\n" in text


def test_every_scope_is_documented(reference):
    text = (reference / "scopes.md").read_text()
    assert [scope for scope in Scope if f"`{scope.value}`" not in text] == []


def test_the_contract_schema_is_the_one_in_the_code(reference):
    assert json.loads((reference / "contract.schema.json").read_text()) == contract_json_schema()


def test_the_api_page_names_every_operation(root, reference):
    described = json.loads((root / "openapi.json").read_text())
    text = (reference / "api.md").read_text()
    operations = [o["operationId"] for item in described["paths"].values() for o in item.values()]
    assert len(operations) > 40
    assert len(set(operations)) == len(operations)
    assert [name for name in operations if f"`{name}`" not in text] == []


@pytest.fixture
def generate(root, tmp_path, monkeypatch):
    """The generator, let loose on a copy of what is generated."""
    monkeypatch.syspath_prepend(str(root / "tools"))
    spec = importlib.util.spec_from_file_location("generate", root / "tools" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in [*module.PAGES, module.SCHEMA]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / name, tmp_path / name)
    monkeypatch.setattr(module, "ROOT", tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["generate.py", *arguments])
        return module.main()

    return run


def test_check_names_what_is_out_of_date_and_generate_mends_it(generate, tmp_path, capsys):
    assert generate() == 0
    assert generate("--check") == 0
    page = tmp_path / "docs" / "reference" / "settings.md"
    page.write_text(page.read_text() + "\nBy hand.\n")
    (tmp_path / "openapi.json").unlink()
    (tmp_path / "docs" / "reference" / "stray.md").write_text("")

    assert generate("--check") == 1
    told = capsys.readouterr().err
    assert "docs/reference/settings.md is out of date" in told
    assert "openapi.json is out of date" in told
    assert "docs/reference/stray.md is written by nothing" in told
    assert "scopes.md" not in told

    assert generate() == 0
    assert generate("--check") == 0
    assert not (tmp_path / "docs" / "reference" / "stray.md").exists()


def test_make_targets_named_in_the_readme_exist(root):
    import re

    readme = (root / "README.md").read_text()
    for target in set(re.findall(r"make ([a-z]+)", readme)):
        result = subprocess.run(["make", "--dry-run", target], cwd=root, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr

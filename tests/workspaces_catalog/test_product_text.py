"""What operators write: shipped products hold, and every fault of another is told at once with its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from atoll.errors import InvalidInput, ProductInvalid
from atoll.workspaces import parameters
from atoll.workspaces.product_text import parse_product, product_json_schema, shipped_products
from atoll.workspaces.sizes import load_sizes

SIZES = {size.name for size in load_sizes()}

HOLDS = """\
name: one
title: One
environment: jupyter
service: jupyter
sizes: [t3.small]
needs: [hibernate]
"""


def findings(text):
    with pytest.raises(ProductInvalid) as broken:
        parse_product(text, SIZES)
    return broken.value.findings


def test_the_shipped_products_hold_and_fulfil_the_published_schema():
    import jsonschema
    import yaml

    products = [parse_product(text, SIZES) for text in shipped_products()]
    names = ["application", "batch", "desktop", "jupyter-vm", "jupyter", "terminal"]
    assert [product.name for product in products] == names
    validator = jsonschema.Draft202012Validator(product_json_schema())
    for text in shipped_products():
        assert list(validator.iter_errors(yaml.safe_load(text))) == []


def test_every_fault_is_told_at_once_with_its_line():
    found = findings(
        """\
name: one
title: One
environment: jupyter
service: jupyter
sizes:
  - t3.small
  - z9.huge
needs: [hibernate]
fallback: {hibernate: pray, desktop: none, resize: stop}
lifetime: {days: 3, warn_days: 3}
parameters:
  type: object
  properties:
    pace: {type: integer}
  required: [colour]
"""
    )
    text = "\n".join(found)
    assert "line 7: `sizes.1` `z9.huge` is no size" in text
    assert "line 9: `fallback.hibernate` must be stop, not `pray`" in text
    assert "line 9: `fallback.desktop` cannot fall back" in text
    assert "line 9: `fallback.resize` is not among `needs`" in text
    assert "line 10: `lifetime.warn_days`" in text
    assert "line 11: `parameters` must have `type: object` and `additionalProperties: false`" in text
    assert "line 14: `parameters.properties.pace` needs a `title`" in text
    assert "line 15: `parameters.required` names `colour`" in text
    assert len(found) == 8
    assert [int(f.split(":")[0].removeprefix("line ")) for f in found] == sorted(
        int(f.split(":")[0].removeprefix("line ")) for f in found
    )


def test_faults_of_the_shape_are_told_in_words():
    found = findings(HOLDS.replace("title: One\n", "titel: One\n").replace("name: one", "name: One Two"))
    assert any(f == "line 1: `title` is missing" for f in found)
    assert any("`titel` is not a known field here" in f for f in found)
    assert any("`name` must be lower case" in f for f in found)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name: [", "line 1"),
        ("just words", "a product is a mapping that starts with `name:`"),
        (HOLDS + "title: Two\n", "`title` stands twice"),
        (HOLDS + "idle: {action: none}\nservice: batch\n", "`service` stands twice"),
        (HOLDS.replace("jupyter\nsizes", "batch\nsizes"), "must be none for a batch job"),
        (HOLDS.replace("needs: [hibernate]\n", ""), "`idle.action` is hibernate, so `needs` must name hibernate"),
        (HOLDS + "parameters: {type: 7}\n", "does not hold as JSON Schema"),
    ],
)
def test_other_faults(text, told):
    assert told in "\n".join(findings(text))


def test_parameters_cannot_send_the_platform_elsewhere():
    text = HOLDS + (
        "parameters:\n"
        "  type: object\n"
        "  additionalProperties: false\n"
        "  properties:\n"
        '    a: {title: A, type: string, allOf: [{$ref: "http://127.0.0.1/schema"}]}\n'
    )
    assert "refers to another place" in "\n".join(findings(text))


BATCH = parse_product(next(text for text in shipped_products() if "name: batch" in text), SIZES)


def test_parameters_are_checked_and_their_values_never_told():
    assert parameters.settled(BATCH, {"script": "python job.py"}) == {"script": "python job.py"}
    with pytest.raises(InvalidInput, match="script is missing"):
        parameters.settled(BATCH, {})
    with pytest.raises(InvalidInput) as refused:
        parameters.settled(BATCH, {"script": 4711, "secret-name": "Quillfeather"})
    assert "script must be string" in str(refused.value)
    assert "4711" not in str(refused.value)
    assert "Quillfeather" not in str(refused.value)
    assert "secret-name" not in str(refused.value)


def test_a_product_without_parameters_takes_none():
    one = parse_product(HOLDS, SIZES)
    assert parameters.settled(one, {}) == {}
    with pytest.raises(InvalidInput, match="does not have"):
        parameters.settled(one, {"a": 1})


def test_the_published_schema_and_sizes_are_those_of_the_code():
    reference = Path(__file__).parents[2] / "docs" / "reference"
    assert json.loads((reference / "product.schema.json").read_text()) == product_json_schema()
    page = (reference / "product.md").read_text()
    assert [name for name in SIZES if f"`{name}`" not in page] == []

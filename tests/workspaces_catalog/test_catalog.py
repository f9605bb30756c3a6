"""Products in versions: published, deprecated, retired, and who may see which."""

from __future__ import annotations

import pytest

from atoll.errors import Conflict, NotFound, NotPermitted, ProductInvalid
from atoll.flows import manage_products as story
from atoll.model.person import PLATFORM
from atoll.model.workspace import ProductState
from atoll.workspaces import product_text

TEXT = "name: lab\ntitle: {}\nenvironment: jupyter\nservice: batch\nsizes: [t3.nano]\nidle: {{action: none}}\n"


def publish(house, title="One", projects=None):
    return story.publish_product(house.rooms, house.admin, TEXT.format(title), projects)


def test_versions_count_up_and_the_same_text_is_no_new_one(house):
    assert publish(house).id == "lab@1"
    assert publish(house).id == "lab@1"
    assert publish(house, "Two").id == "lab@2"
    assert house.rooms.catalog.latest("lab").id == "lab@2"
    assert [v.id for v in house.rooms.catalog.versions("lab")] == ["lab@1", "lab@2"]
    assert len(house.audited("product.publish")) == 3  # these two, and the one of the house


def test_a_launch_takes_the_newest_that_stands_best(house):
    publish(house)
    publish(house, "Two")
    story.deprecate_product(house.rooms, house.admin, "lab@2")
    assert house.rooms.catalog.latest("lab").id == "lab@1"
    story.retire_product(house.rooms, house.admin, "lab@1")
    assert house.rooms.catalog.latest("lab").id == "lab@2"
    story.retire_product(house.rooms, house.admin, "lab@2")
    assert house.rooms.catalog.latest("lab").state is ProductState.RETIRED
    with pytest.raises(Conflict, match="retired"):
        story.deprecate_product(house.rooms, house.admin, "lab@2")
    assert len(house.audited("product.retire")) == 2


def test_a_retired_text_can_be_published_anew(house):
    publish(house)
    story.retire_product(house.rooms, house.admin, "lab@1")
    assert publish(house).id == "lab@2"


def test_retiring_again_changes_nothing(house):
    publish(house)
    first = story.retire_product(house.rooms, house.admin, "lab@1")
    assert story.retire_product(house.rooms, house.admin, "lab@1") == first
    assert len(house.audited("product.retire")) == 1


def test_what_does_not_hold_is_not_published(house):
    with pytest.raises(ProductInvalid):
        story.publish_product(house.rooms, house.admin, TEXT.format("One") + "colour: red\n")
    with pytest.raises(NotFound):
        publish(house, projects=frozenset({"no-such"}))
    assert house.rooms.catalog.versions("lab") == ()


def test_only_operators_publish(house):
    for call in (
        lambda: story.publish_product(house.rooms, house.ada, TEXT.format("One")),
        lambda: story.retire_product(house.rooms, house.ada, "small@1"),
        lambda: story.deprecate_product(house.rooms, house.ann, "small@1"),
    ):
        with pytest.raises(NotPermitted):
            call()


def test_a_product_of_some_projects_is_seen_by_their_people_alone(house):
    publish(house, projects=frozenset({"heart", "lung"}))
    shown = story.show_product(house.rooms, house.ada, "lab")
    # And nothing is told of projects that one is not in.
    assert shown[0].projects == frozenset({"heart"})
    assert {v.name for v in story.list_products(house.rooms, house.ada)} == {"small", "lab"}
    publish(house, projects=frozenset({"lung"}))
    assert {v.name for v in story.list_products(house.rooms, house.ada)} == {"small"}
    with pytest.raises(NotFound):
        story.show_product(house.rooms, house.ada, "lab")
    assert house.rooms.catalog.latest("lab").id == "lab@1"
    assert story.show_product(house.rooms, house.ann, "lab")[0].projects == frozenset({"lung"})


def test_shipped_products_are_published_once_and_never_over_an_operators(house, monkeypatch):
    story.ensure_shipped(house.rooms)
    story.ensure_shipped(house.rooms)
    shipped = ["application", "batch", "desktop", "jupyter", "jupyter-vm", "small", "terminal"]
    assert [v.id for v in house.rooms.catalog.list()] == [f"{name}@1" for name in shipped]
    story.retire_product(house.rooms, house.admin, "terminal@1")
    jupyter = house.rooms.catalog.latest("jupyter")
    assert jupyter.published_by == PLATFORM.name
    own = jupyter.text.replace("JupyterLab with", "Our JupyterLab with")
    story.publish_product(house.rooms, house.admin, own)

    newer = tuple(text.replace("title: ", "title: New ") for text in product_text.shipped_products())
    monkeypatch.setattr(story, "shipped_products", lambda: newer)
    story.ensure_shipped(house.rooms)
    listed = {v.name: v for v in house.rooms.catalog.list()}
    assert listed["batch"].id == "batch@2"
    assert listed["jupyter"].text == own


def test_unknown_sizes_and_products_are_told_with_those_there_are(house):
    with pytest.raises(NotFound, match=r"m5\.2xlarge"):
        house.rooms.catalog.size("m9.huge")
    with pytest.raises(NotFound):
        house.rooms.catalog.latest("nothing")
    with pytest.raises(NotFound):
        house.rooms.catalog.version("small@7")

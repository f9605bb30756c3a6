"""What a route declares is what it answers, also where the answer is written in the route's own thread."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.exceptions import ResponseValidationError
from fastapi.testclient import TestClient
from pytest import raises

from atoll.api.routing import LiteralFirst, Routes
from atoll.api.schemas.listing import Listing
from atoll.api.security import PUBLIC
from atoll.model.record import Frozen


class Boat(Frozen):
    name: str


class Armed(Boat):
    secret: str = "cannon"


def app() -> TestClient:
    routes = Routes("boats")

    @routes.post("/boats", scope=PUBLIC, status_code=201)
    def add() -> Listing[Boat]:
        return Listing(items=(Boat(name="Éléonore"), Armed(name="Bounty")))

    @routes.get("/boats/{name}", scope=PUBLIC)
    def show(name: str) -> Boat:
        return {"name": 4}  # type: ignore[return-value]

    made = FastAPI()
    made.router.route_class = LiteralFirst
    routes.mount(made)
    return TestClient(made)


def test_an_answer_holds_what_is_declared_and_no_more() -> None:
    answer = app().post("/api/v1/boats")
    assert answer.status_code == 201 and answer.headers["content-type"] == "application/json"
    assert answer.json() == {"items": [{"name": "Éléonore"}, {"name": "Bounty"}], "cursor": None}


def test_an_answer_of_another_shape_is_refused() -> None:
    with raises(ResponseValidationError):
        app().get("/api/v1/boats/any")


def test_a_wrong_method_and_an_unknown_path_are_told_apart() -> None:
    assert app().get("/api/v1/boats").status_code == 405
    assert app().get("/api/v1/ships").status_code == 404

"""HTTP: routes, their schemas, and one table from domain error to status."""

from atoll.api.app import create_app

__all__ = ["create_app"]

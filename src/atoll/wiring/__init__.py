"""The composition root: what is plugged into what, and the `atoll` command."""


def main() -> None:
    """The `atoll` command: every command of the CLI, and `up`."""
    from atoll.cli.app import app
    from atoll.wiring.up import up

    app.command(name="up")(up)
    app()

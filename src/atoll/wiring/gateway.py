"""The gateway of machines, from the settings and the rooms."""

from __future__ import annotations

from atoll.flows.rooms import Rooms
from atoll.flows.serve_machine import MachineDesk
from atoll.gateway import Backups, Callbacks, Gateway, GatewayHost, Identity, Mirror, MirrorRules, Repositories
from atoll.settings import Settings


def repositories(settings: Settings) -> Repositories:
    """Git repositories of all projects, in the home."""
    return Repositories(
        settings.home_dir / "git",
        max_push_bytes=settings.git_push_bytes,
        max_repository_bytes=settings.git_repository_bytes,
    )


def backups(settings: Settings) -> Backups:
    """Backups of all repositories."""
    return Backups(repositories(settings), settings.git_backup_path, keep=settings.git_backup_generations)


def build(rooms: Rooms, desk: MachineDesk, api_url: str) -> GatewayHost:
    """A gateway that is not started yet. `api_url` is where the API of this platform listens."""
    settings = rooms.settings
    rules = MirrorRules(
        urls={
            "pypi": settings.mirror_pypi_url,
            "npm": settings.mirror_npm_url,
            "cran": settings.mirror_cran_url,
            "debian": settings.mirror_debian_url,
        },
        allow=settings.mirror_allow,
        block=settings.mirror_block,
        min_age_days=settings.mirror_min_age_days,
        advisories=settings.mirror_advisories,
        indexes=settings.mirror_indexes,
        cache_max_bytes=settings.mirror_cache_bytes,
        file_max_bytes=settings.mirror_file_bytes,
    )

    def identity(workspace_id: str) -> Identity:
        speaker = desk.speaker(workspace_id)
        return Identity(speaker.login, speaker.token)

    return GatewayHost(
        Gateway(
            api_url=api_url,
            callbacks=Callbacks(
                identity=identity,
                record_download=desk.record_download,
                record_push=desk.record_push,
                create_repository=desk.create_repository,
            ),
            mirror=Mirror(settings.home_dir / "mirror", rooms.clock, rules),
            repositories=repositories(settings),
        )
    )

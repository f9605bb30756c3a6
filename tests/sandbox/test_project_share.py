"""Machines of one project write one directory together; those of another see nothing of it."""

from __future__ import annotations

import os

import pytest
from tests.machines.inside import MIB, launch, python_inside, spec, wait_for

from atoll.model.workspace import MachineState
from atoll.ports.backend import Mount
from atoll.workspaces.project_shares import ProjectShares


@pytest.fixture
def shares(tmp_path):
    """As a platform makes them: below a directory that is closed to others."""
    before = os.umask(0o077)
    yield ProjectShares(tmp_path / "shares", 64 * MIB)
    os.umask(before)


def share(shares, project, quota_bytes=64 * MIB):
    return (Mount(shares.path(project), "/project", True, f"project/{project}", quota_bytes),)


def test_members_work_on_the_same_files_whatever_their_umask(backend, shares):
    shares.place("heart", "incoming/table.csv", [b"from outside"])
    one = launch(backend, spec(mounts=share(shares, "heart")))
    two = launch(backend, spec("ws-2", "token-2", mounts=share(shares, "heart")))
    code = """
        import os
        os.umask(0o077)
        os.makedirs('/project/results/deep')
        open('/project/results/deep/a', 'w').write('one')
        print(open('/project/incoming/table.csv').read())
        open('/project/incoming/table.csv', 'a').write(', changed')
    """
    assert python_inside(one, code) == (0, "from outside\n")
    code = """
        open('/project/results/deep/a', 'a').write(' two')
        open('/project/results/deep/b', 'w').write('')
        print(open('/project/results/deep/a').read())
    """
    assert python_inside(two, code) == (0, "one two\n")
    assert python_inside(one, "import os; os.unlink('/project/results/deep/b')")[0] == 0
    with shares.read("heart", "incoming/table.csv") as file:
        assert file.read() == b"from outside, changed"
    backend.destroy("ws-1")
    backend.forget_home("ws-1")
    backend.destroy("ws-2")
    backend.forget_home("ws-2")
    with shares.read("heart", "results/deep/a") as file:
        assert file.read() == b"one two"


def test_what_the_platform_places_later_is_the_members_too(backend, shares):
    seen = launch(backend, spec(mounts=share(shares, "heart")))
    shares.place("heart", "incoming/new/table.csv", [b"later"])
    code = """
        import os
        print(open('/project/incoming/new/table.csv').read())
        os.rename('/project/incoming/new/table.csv', '/project/mine.csv')
    """
    assert python_inside(seen, code) == (0, "later\n")


def test_another_project_sees_nothing_of_it(backend, shares):
    shares.place("heart", "secret", [b"of heart"])
    launch(backend, spec(mounts=share(shares, "heart")))
    other = launch(backend, spec("ws-2", "token-2", mounts=share(shares, "liver")))
    code = f"""
        import os
        print(os.listdir('/project'), os.path.exists({str(shares.path("heart"))!r}))
        os.symlink({str(shares.path("heart") / "secret")!r}, '/project/link')
        open('/project/link').read()
    """
    status, printed = python_inside(other, code)
    assert status == 1
    assert "[] False\n" in printed
    assert "No such file" in printed
    if os.getuid() == 0:
        # Were the walls of the mount namespace gone, the kernel would still refuse.
        groups = {shares.path(project).stat().st_gid for project in ("heart", "liver")}
        assert len(groups) == 2
        assert shares.path("heart").stat().st_mode & 0o007 == 0


def test_a_share_that_grows_past_its_quota_stops_those_that_write_there(backend, shares):
    one = launch(backend, spec(mounts=share(shares, "heart", 16 * MIB)))
    launch(backend, spec("ws-2", "token-2", mounts=share(shares, "liver", 16 * MIB)))
    python_inside(one, "for n in range(3): open(f'/project/{n}', 'wb').write(b'x' * 2**23)")
    assert "share" in wait_for(backend, "ws-1", MachineState.STOPPED).detail
    assert backend.observe("ws-2").state is MachineState.RUNNING
    backend.start(spec(token="token-3", mounts=share(shares, "heart", 16 * MIB)))
    again = wait_for(backend, "ws-1", MachineState.RUNNING)
    assert python_inside(again, "import os; os.unlink('/project/0'); print(os.listdir('/project'))")[0] == 0

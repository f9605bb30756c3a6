"""The words that start bubblewrap for one virtual machine's QEMU."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import atoll
from atoll.providers.sandbox.command import Command, system_words, walls
from atoll.providers.sandbox.environment import base_python

#: Where the standing parts are seen below bubblewrap.
_SITE, _CODE = "/opt/site", "/opt/code"
#: What of the host's /etc the loader of programs needs.
_ETC = ("alternatives", "ld.so.cache", "ld.so.conf", "ld.so.conf.d")
_MAIN = (
    f"import sys; sys.path[:0] = ['{_CODE}', '{_SITE}']; "
    "from atoll.providers.vm.hypervisor import main; main(int(sys.argv[1]))"
)


def hypervisor_command(
    *, image: Path, template: Path | None, data: Path, kept: Path, home: Path, run: Path, gateway: Path | None,
    out: Path | None = None, kvm: bool,
) -> Command:  # fmt: skip
    """The command of one machine's hypervisor.

    Read-only are the image, the template and the data's disks; it writes its `kept`
    memory, its `home`, and `run` with the sockets, and a template to `out`.
    """
    sources: dict[str, str] = {}

    def source(name: str, path: Path) -> str:
        sources[name] = str(path)
        return f"@{name}"

    words = [*walls("hypervisor"), *system_words(source, _ETC)]
    words += ["--proc", "/proc", "--dev", "/dev", "--size", str(2**24), "--tmpfs", "/tmp", "--tmpfs", "/run"]  # noqa: S108
    if kvm:
        words += ["--dev-bind", "/dev/kvm", "/dev/kvm"]
    words += ["--ro-bind", source("site", site_packages()), _SITE]
    words += ["--ro-bind", source("code", Path(atoll.__file__).parent), f"{_CODE}/atoll"]
    words += ["--ro-bind", source("pipe", Path(__file__).with_name("pipe.py")), "/opt/vm/pipe.py"]
    words += ["--ro-bind", source("image", image), "/opt/image"]
    if template is not None:
        words += ["--ro-bind", source("template", template), "/opt/template"]
    words += ["--ro-bind", source("data", data), "/disks/data", "--bind", source("kept", kept), "/disks/kept"]
    words += ["--bind", source("home", home), "/disks/home", "--bind", source("run", run), "/run/m"]
    if out is not None:
        words += ["--bind", source("out", out), "/disks/out"]
    if gateway is not None:
        words += ["--ro-bind", source("gateway", gateway), "/run/gw"]
    words += ["--remount-ro", "/", "--chdir", "/tmp", "--setenv", "PATH", "/usr/bin:/bin"]  # noqa: S108
    return Command(
        [*words, "--", str(base_python() / "bin" / "python3"), "-I", "-S", "-c", _MAIN, "@ORDERS_FD"], sources
    )


def site_packages() -> Path:
    """Where this Python's packages lie, the driver of QEMU among them."""
    found = find_spec("qemu.qmp")
    if found is None or found.origin is None:
        return Path(sys.prefix, "lib", f"python{sys.version_info.major}.{sys.version_info.minor}", "site-packages")
    return Path(found.origin).parents[2]

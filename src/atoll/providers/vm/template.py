"""Templates: machines that have started for nobody and stand still on disk, so that others begin there.

<image>/templates/<key of the shape>/memory, state.json, template.json. They hold nothing
of anybody. One is made by starting a machine in a sandbox of its own, as any is.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from atoll.errors import Unavailable
from atoll.providers.sandbox.build import fingerprint_of
from atoll.providers.sandbox.environment import read_environment
from atoll.providers.sandbox.limits.rlimits import Rlimits
from atoll.providers.sandbox.machine import Machine
from atoll.providers.sandbox.seccomp import machine_filter
from atoll.providers.sandbox.starting import only_supervisor, start_supervisor
from atoll.providers.vm.accelerator import accelerator
from atoll.providers.vm.arguments import shape_of
from atoll.providers.vm.becoming import NOBODYS_URL, command_of, variables_of, waiting_command
from atoll.providers.vm.command import hypervisor_command
from atoll.providers.vm.declaration import ImageDeclaration
from atoll.providers.vm.hypervisor import Plan
from atoll.providers.vm.launching import hand_over, launch_file, limits_of, places

_SECONDS = 900.0


def make_template(image: Path, vcpu: float, memory_bytes: int) -> Path:
    """Make the template of a size, unless it is there. Takes a minute or more under emulation. Raises `Unavailable`."""
    shape = shape_of(vcpu, memory_bytes, accelerator(image / "kernel"), fingerprint_of(image) or "")
    template = image / "templates" / shape.key
    if (template / "memory").exists():
        return template
    about = ImageDeclaration.model_validate(json.loads((image / "image.json").read_text())["declared"])
    declared = read_environment(image)
    service = next(iter(about.prewarmed), None)
    warm: dict[str, object] = {"seconds": _SECONDS}
    command = None
    if service is not None:
        command = command_of(service, {}, declared, NOBODYS_URL)
        warm |= {
            "command": waiting_command(command),
            "variables": variables_of({}, declared, "", gateway=False),
            "paths": [NOBODYS_URL + page for page in about.prewarmed[service]],
        }
    template.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=image.parent, prefix=".template-") as scratch:
        machine = Machine(Path(scratch), "template")
        out = machine.path / "out"
        for place in (*places(machine).values(), out):
            place.mkdir(parents=True, exist_ok=True)
        (machine.path / "seccomp.bpf").write_bytes(machine_filter())
        words = hypervisor_command(
            image=image, template=None, gateway=None, out=out, kvm=shape.accelerator == "kvm", **places(machine)
        )
        launch = launch_file(
            machine, "template", words.words, words.sources, Rlimits(), limits_of(64, shape.memory_bytes), uid=None,
            groups=[], home_bytes=0, grace_seconds=5.0, log_bytes=2**22,
        )  # fmt: skip
        launch["cpus"] = sorted(os.sched_getaffinity(0))
        machine.write("launch.json", launch)
        with only_supervisor(machine) as alone:
            if alone is None:
                raise Unavailable("Another template is being made.", where=image.name)
            start_supervisor(machine, alone)
        try:
            hand_over(machine, Plan(shape=asdict(shape), memory="cold", warm=warm))
            until = time.monotonic() + _SECONDS
            while machine.ending("template") is None and time.monotonic() < until:
                time.sleep(0.1)
        finally:
            # Also when whoever builds has had enough of it: nothing goes on alone.
            keeper = machine.supervisor("template")
            if keeper is not None and keeper.signal(signal.SIGTERM):
                keeper.wait(20)
        if not (out / "state.json").exists():
            said = machine.log_end(2000).strip().splitlines()
            raise Unavailable(f"The template could not be made: {said[-1] if said else 'no output'}", where=image.name)
        (out / "template.json").write_text(json.dumps({"command": command, "log": machine.log_end(4000)}))
        for path in out.iterdir():
            path.chmod(0o644)
        out.chmod(0o755)
        shutil.rmtree(template, ignore_errors=True)
        out.rename(template)
    return template

"""Building an environment on the host, so that machines find it ready."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from importlib import resources
from pathlib import Path

import yaml

from atoll.errors import NotFound, Unavailable
from atoll.providers.sandbox.environment import DECLARATION, INSIDE, Environment, base_python

_FINGERPRINT = "fingerprint"
_R_PROFILE = 'local(options(repos = c(CRAN = "http://127.0.0.1:3141/cran"), browserNLdisabled = TRUE))\n'
_KERNEL = """{
 "argv": ["/home/user/.environment/bin/python", "-m", "ipykernel_launcher", "-f", "{connection_file}"],
 "display_name": "Python 3",
 "language": "python",
 "metadata": {"debugger": true}
}
"""
#: News would be asked for from a network that is not there.
_LAB = '{"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": true}}\n'


def shipped_environments() -> tuple[str, ...]:
    """Names of the environments that come with Atoll."""
    files = resources.files("atoll.providers.sandbox") / "environments"
    return tuple(sorted(entry.name.removesuffix(".yaml") for entry in files.iterdir() if entry.name.endswith(".yaml")))


def build_environment(name: str, directory: Path) -> Path:
    """Build a shipped environment as `<directory>/<name>`; nothing is done when it stands as declared.

    Takes minutes and the network of the host, by its own pip settings. Machines that
    run keep the build they started with, which waits beside as `.<name>-<fingerprint>`.
    Raises `NotFound` for an unknown name, `Unavailable` when a step fails.
    """
    if name not in shipped_environments():
        raise NotFound(
            "No environment of this name comes with Atoll.", where=name, todo="See `atoll environment list`."
        )
    files = resources.files("atoll.providers.sandbox") / "environments"
    text = (files / f"{name}.yaml").read_text(encoding="utf-8")
    text = text.replace("{python_version}", f"{sys.version_info.major}.{sys.version_info.minor}")
    text = text.replace("{python_home}", str(base_python() / "bin"))
    declared = Environment.model_validate(yaml.safe_load(text))
    lock = (files / declared.requirements).read_text(encoding="utf-8") if declared.requirements else ""
    parts = (text, lock, _R_PROFILE, _KERNEL, _LAB, str(base_python()), sys.version)
    fingerprint = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
    built = directory / name
    if fingerprint_of(built) == fingerprint:
        return built
    directory.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix=f".{name}-making-", dir=directory))
    try:
        making.chmod(0o755)
        (making / DECLARATION).write_text(text, encoding="utf-8")
        if declared.requirements:
            _make_python(making, lock)
        if declared.r:
            _add_r(making)
        (making / _FINGERPRINT).write_text(fingerprint)
        _open_to_readers(making)
        if built.exists():
            built.rename(directory / f".{name}-{fingerprint_of(built) or 'unknown'}-{making.name[-8:]}")
        making.rename(built)
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        raise
    return built


def fingerprint_of(built: Path) -> str | None:
    """What tells one build of an environment from another; None when it was not built by `build_environment`."""
    try:
        return (built / _FINGERPRINT).read_text()
    except OSError:
        return None


def _make_python(making: Path, lock: str) -> None:
    venv = making / "venv"
    requirements = making / "requirements.lock"
    requirements.write_text(lock, encoding="utf-8")
    _run(making, [str(base_python() / "bin" / "python3"), "-m", "venv", str(venv)])
    python = str(venv / "bin" / "python")
    _run(making, [python, "-m", "pip", "install", "--quiet", "--require-hashes", "--requirement", str(requirements)])
    kernel = venv / "share" / "jupyter" / "kernels" / "python3" / "kernel.json"
    kernel.parent.mkdir(parents=True, exist_ok=True)
    kernel.write_text(_KERNEL)
    lab = venv / "etc" / "jupyter" / "labconfig" / "page_config.json"
    lab.parent.mkdir(parents=True, exist_ok=True)
    lab.write_text(_LAB)


def _add_r(making: Path) -> None:
    if shutil.which("Rscript") is None:
        raise Unavailable("R is missing on this host.", todo="Install the packages r-base-core and r-cran-irkernel.")
    (making / "Rprofile.site").write_text(_R_PROFILE)
    install = 'IRkernel::installspec(name = "ir", displayname = "R", prefix = commandArgs(TRUE))'
    _run(making, ["Rscript", "-e", install, str(making / "venv")])


def _open_to_readers(making: Path) -> None:
    """Let every machine's user read it, and let its scripts name their Python as machines see it."""
    for script in (making / "venv" / "bin").glob("*") if (making / "venv").exists() else ():
        if script.is_symlink() or not script.is_file():
            continue
        content = script.read_bytes()
        if content.startswith(b"#!" + os.fsencode(making)):
            script.write_bytes(content.replace(os.fsencode(making), INSIDE.encode(), 1))
    _run(making, ["chmod", "-R", "a+rX", str(making)])


def _run(making: Path, command: list[str]) -> None:
    path = f"{making / 'venv' / 'bin'}:{os.environ.get('PATH', '/usr/bin:/bin')}"
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, umask=0o022, env={**os.environ, "PATH": path}
    )
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()[-1]
        raise Unavailable(
            f"A step of the build failed: {last[:300]}", where=" ".join(command[:4]), todo="Run it again."
        )

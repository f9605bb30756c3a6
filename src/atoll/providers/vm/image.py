"""Building the image of virtual machines: system, environment, kernel and first file system.

<directory>/<name>/
  environment.yaml    services, variables and files, as the sandbox has them
  image.json          what it is made of, and its fingerprint
  sbom.spdx.json      the software in it
  system.squashfs     Debian, read-only, shared by all machines
  environment.squashfs  seen at /opt/environment
  kernel, initrd      what QEMU starts
  fingerprint         of all that it is made from
  templates/          see `template.py`
"""

from __future__ import annotations

import gzip
import hashlib
import json
import lzma
import os
import shutil
import subprocess
import sys
import tempfile
from importlib import resources
from pathlib import Path
from typing import IO, Any

import yaml

from atoll.errors import Unavailable
from atoll.model.workspace import STREAMED
from atoll.providers.sandbox.build import fingerprint_of
from atoll.providers.sandbox.command import BUBBLEWRAP
from atoll.providers.sandbox.environment import DECLARATION, INSIDE, Environment
from atoll.providers.vm.bill import bill_of_materials
from atoll.providers.vm.cpio import Archive
from atoll.providers.vm.declaration import ImageDeclaration

#: What the system needs before it can reach its disks, beside what the kernel has built in.
_MODULES = ("virtio_pci", "virtio_console", "virtio_net", "virtio_scsi", "sd_mod", "squashfs", "overlay", "fuse")
_PROGRAMS = ("mount", "cut", "echo", "insmod", "sleep", "mkdir", "cp", "ip", "switch_root", "sh")
_LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")
#: Packages whose own tests are as large as they are.
_WITHOUT_TESTS = ("numpy", "pandas", "scipy", "sklearn", "matplotlib", "pyarrow", "joblib")
_FORMAT = "1"
_GUEST = Path(__file__).with_name("guest")
#: Wheels of any of these run on every suite that an image may name.
_PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64", "linux_x86_64")


def build_image(declared: ImageDeclaration, directory: Path) -> Path:
    """Build an image as `<directory>/<name>`; nothing is done when it stands as declared.

    Takes minutes and the network of the host, by its own apt and pip settings. Machines
    that run keep the build they started with, which waits beside as `.<name>-<fingerprint>`.
    Raises `Unavailable` when a step fails.
    """
    environment, lock = _environment(declared)
    built = directory / declared.name
    wanted = _fingerprint(declared, environment, lock)
    if fingerprint_of(built) == wanted:
        return built
    directory.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix=f".{declared.name}-making-", dir=directory))
    try:
        making.chmod(0o755)
        base = _system(declared, directory, making)
        _environment_disk(declared, lock, base, making)
        (making / DECLARATION).write_text(yaml.safe_dump(environment.model_dump(exclude_none=True, mode="json")))
        packages = json.loads((base / "packages.json").read_text())
        bill = bill_of_materials(declared.name, wanted, packages, lock)
        (making / "sbom.spdx.json").write_text(json.dumps(bill, indent=1))
        about = {"declared": declared.model_dump(mode="json"), "fingerprint": wanted, "base": base.name}
        (making / "image.json").write_text(json.dumps(about, indent=1))
        (making / "fingerprint").write_text(wanted)
        _run(["chmod", "-R", "a+rX", str(making)])
        if built.exists():
            built.rename(directory / f".{declared.name}-{fingerprint_of(built) or 'unknown'}-{making.name[-8:]}")
        making.rename(built)
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        raise
    return built


def _environment(declared: ImageDeclaration) -> tuple[Environment, str]:
    """The environment as the system inside has it, and the text of its lock."""
    if isinstance(declared.environment, Environment):
        return declared.environment, ""
    files = resources.files("atoll.providers.sandbox") / "environments"
    text = (files / f"{declared.environment}.yaml").read_text(encoding="utf-8")
    text = text.replace("{python_version}", declared.python).replace("{python_home}", "/usr/bin")
    environment = Environment.model_validate(yaml.safe_load(text))
    variables = {name: value for name, value in environment.variables.items() if not name.startswith("R_")}
    # Screens are of the host's own programs.
    services = {name: words for name, words in environment.services.items() if name not in STREAMED}
    lock = (files / environment.requirements).read_text(encoding="utf-8") if environment.requirements else ""
    told = {"name": declared.name, "title": declared.title, "r": False, "variables": variables, "services": services}
    return environment.model_copy(update=told), lock


def _fingerprint(declared: ImageDeclaration, environment: Environment, lock: str) -> str:
    guest = [path.read_text(encoding="utf-8") for path in sorted(_GUEST.iterdir()) if path.is_file()]
    parts = (_FORMAT, declared.model_dump_json(), environment.model_dump_json(), lock, *guest)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


# -- Debian -----------------------------------------------------------------------------


def _system(declared: ImageDeclaration, directory: Path, making: Path) -> Path:
    """The Debian part, linked into the image; images of the same packages share one. Returns its directory."""
    parts = (_FORMAT, declared.suite, declared.kernel, *sorted(declared.packages))
    name = f".debian-{hashlib.sha256(' '.join(parts).encode()).hexdigest()[:16]}"
    base = directory / name
    if not (base / "kernel").exists():
        draft = Path(tempfile.mkdtemp(prefix=f"{name}-making-", dir=directory))
        try:
            _debian(declared, draft)
            shutil.rmtree(base, ignore_errors=True)
            draft.rename(base)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
    for file in ("system.squashfs", "kernel"):
        os.link(base / file, making / file)
    _initrd(base, making / "initrd")
    return base


def _debian(declared: ImageDeclaration, draft: Path) -> None:
    # In memory where there is room: dpkg makes sure of every file, which a disk takes its time for.
    roomy = shutil.disk_usage("/dev/shm").free > 2**31  # noqa: S108
    with tempfile.TemporaryDirectory(dir="/dev/shm" if roomy else draft) as scratch:  # noqa: S108
        environ = {**os.environ, "TMPDIR": scratch}
        words = ["mmdebstrap", "--quiet", '--aptopt=Acquire::Languages "none"', "--dpkgopt=force-unsafe-io"]
        words += [f"--dpkgopt=path-exclude={pattern}" for pattern in _LEFT_OUT]
        system, kernel = Path(scratch, "system.tar"), Path(scratch, "kernel.tar")
        both = [
            [*words, "--variant=essential", f"--include={','.join(declared.packages)}", declared.suite, str(system)],
            [*words, "--variant=extract", f"--include={declared.kernel},busybox-static", declared.suite, str(kernel)],
        ]
        running = [subprocess.Popen(w, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for w in both]
        for process in running:
            said = process.communicate()[0].decode(errors="replace").strip().splitlines()
            if process.returncode != 0:
                for other in running:
                    other.kill()
                raise Unavailable(
                    f"A step of the build failed: {(said or ['no output'])[-1][:300]}",
                    where="mmdebstrap",
                    todo="Install mmdebstrap and the keys of Debian's archive, and see that its mirror is reached.",
                )
        with system.open("rb") as archive:
            _run(["mksquashfs", "-", str(draft / "system.squashfs"), "-tar", "-comp", "lz4", *_QUIET], stdin=archive)
        _unpack_kernel(kernel, draft)
        listed = subprocess.run(
            ["tar", "-xOf", str(system), "./var/lib/dpkg/status"], capture_output=True, text=True, check=True
        ).stdout
        (draft / "packages.json").write_text(json.dumps(_installed(listed)))


_QUIET = ("-noappend", "-quiet", "-no-progress")


def _installed(status: str) -> list[dict[str, str]]:
    """Name, version and source of each package, from dpkg's own list."""
    packages = []
    for paragraph in status.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in paragraph.splitlines() if ": " in line and line[0] != " ")
        if "Package" in fields:
            packages.append({"name": fields["Package"], "version": fields["Version"]})
    return packages


def _unpack_kernel(archive: Path, draft: Path) -> None:
    """The kernel, the modules that are needed in their order, and busybox."""
    with tempfile.TemporaryDirectory(dir=draft) as scratch:
        wanted = ["./boot", "./usr/lib/modules", "./usr/bin/busybox"]
        _run(["tar", "-C", scratch, "-xf", str(archive), "--no-same-owner", *wanted])
        kernel = next(Path(scratch, "boot").glob("vmlinuz-*"))
        modules = next(Path(scratch, "usr/lib/modules").iterdir())
        shutil.copy(Path(scratch, "usr/bin/busybox"), draft / "busybox")
        (draft / "modules").mkdir()
        order = []
        for path in _in_order(modules):
            content = (modules / path).read_bytes()
            name = path.name.removesuffix(".xz")
            (draft / "modules" / name).write_bytes(lzma.decompress(content) if path.suffix == ".xz" else content)
            order.append(name)
        (draft / "modules" / "order").write_text("".join(f"{name}\n" for name in order))
        (draft / "kernel.version").write_text(kernel.name.removeprefix("vmlinuz-"))
        shutil.copy(kernel, draft / "kernel")


def _in_order(modules: Path) -> list[Path]:
    """Files of the modules that are wanted and of those they stand on, each after what it needs.

    The extracted package has no modules.dep yet, so what a module needs is read from itself.
    """
    files = {path.name.split(".ko")[0].replace("-", "_"): path for path in modules.rglob("*.ko*")}
    found: list[Path] = []

    def take(name: str) -> None:
        path = files.get(name)
        if path is None or path.relative_to(modules) in found:
            return  # built into the kernel
        content = path.read_bytes()
        content = lzma.decompress(content) if path.suffix == ".xz" else content
        start = content.find(b"\0depends=") + len(b"\0depends=")
        for needed in content[start : content.find(b"\0", start)].decode().split(","):
            if needed:
                take(needed.replace("-", "_"))
        found.append(path.relative_to(modules))

    # sd_mod asks for these by name only when it runs.
    for name in ("crc64_rocksoft", "crc64_rocksoft_generic", *_MODULES):
        take(name)
    return found


def _initrd(base: Path, place: Path) -> None:
    """The first file system: busybox, modules, and our own programs."""
    archive = Archive()
    for name in ("bin", "dev", "proc", "sys", "modules", "new", "layer", "system"):
        archive.directory(name)
    archive.file("bin/busybox", (base / "busybox").read_bytes(), 0o755)
    for name in _PROGRAMS:
        archive.link(f"bin/{name}", "busybox")
    for path in sorted((base / "modules").iterdir()):
        archive.file(f"modules/{path.name}", path.read_bytes(), 0o644)
    archive.file("init", (_GUEST / "init.sh").read_bytes(), 0o755)
    for name in ("agent.py", "late.py", "ways.py"):
        archive.file(name, (_GUEST / name).read_bytes(), 0o644)
    place.write_bytes(gzip.compress(archive.end(), 1, mtime=0))


# -- the environment --------------------------------------------------------------------


def _environment_disk(declared: ImageDeclaration, lock: str, base: Path, making: Path) -> None:
    """The environment's disk, linked into the image; images of the same environment share one."""
    parts = (_FORMAT, base.name, declared.python, lock, json.dumps(declared.environment_files, sort_keys=True))
    name = f".environment-{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:16]}"
    disk = making.parent / f"{name}.squashfs"
    if not disk.exists():
        with tempfile.TemporaryDirectory(dir=making.parent, prefix=f"{name}-making-") as scratch:
            root = Path(scratch, "environment")
            root.mkdir()
            if lock:
                _packages(declared, lock, root / "venv", Path(scratch))
                _compile(declared, base, root / "venv", Path(scratch))
            for file, text in declared.environment_files.items():
                (root / file).write_text(text)
            _run(["chmod", "-R", "a+rX", str(root)])
            draft = Path(scratch, "disk")
            _run(["mksquashfs", str(root), str(draft), "-comp", "lz4", "-all-root", *_QUIET])
            draft.rename(disk)
    os.link(disk, making / "environment.squashfs")


def _compile(declared: ImageDeclaration, base: Path, venv: Path, scratch: Path) -> None:
    """Have the Python inside compile all there is: a machine's own disk takes no compiled files."""
    system = scratch / "system"
    _run(["unsquashfs", "-quiet", "-no-progress", "-d", str(system), str(base / "system.squashfs")])
    words = [BUBBLEWRAP, "--unshare-all", "--ro-bind", str(system), "/", "--tmpfs", "/opt", "--dev", "/dev"]
    words += ["--proc", "/proc", "--tmpfs", "/tmp"]  # noqa: S108
    words += ["--bind", str(venv), f"{INSIDE}/venv", "--", "/usr/bin/python3", "-m", "compileall", "-q", "-j", "0"]
    _run([*words, f"{INSIDE}/venv/lib/python{declared.python}/site-packages"])


def _packages(declared: ImageDeclaration, lock: str, venv: Path, scratch: Path) -> None:
    """The locked packages, as wheels for the Python of the system inside; nothing of them is run here."""
    site = venv / "lib" / f"python{declared.python}" / "site-packages"
    requirements = scratch / "requirements.lock"
    requirements.write_text(lock, encoding="utf-8")
    words = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    words += ["--no-deps", "--require-hashes", "--requirement", str(requirements), "--only-binary=:all:"]
    words += ["--python-version", f"{declared.python}.99", "--implementation", "cp", "--target", str(site)]
    _run([*words, *(f"--platform={name}" for name in _PLATFORMS)])
    for name in ("share", "etc"):
        if (site / name).is_dir():
            (site / name).rename(venv / name)
    shutil.rmtree(site / "bin", ignore_errors=True)
    for name in _WITHOUT_TESTS:
        for tests in (site / name).rglob("tests"):
            shutil.rmtree(tests, ignore_errors=True)
    (venv / "bin").mkdir()
    for name in ("python", "python3"):
        (venv / "bin" / name).symlink_to("/usr/bin/python3")
    (venv / "pyvenv.cfg").write_text(
        f"home = /usr/bin\ninclude-system-site-packages = false\nversion = {declared.python}\n"
    )
    for module in ("jupyterlab", "ipykernel"):
        if (site / module).is_dir():
            _script(venv / "bin" / "jupyter", "jupyter_core.command")
    kernel = venv / "share" / "jupyter" / "kernels" / "python3" / "kernel.json"
    kernel.parent.mkdir(parents=True, exist_ok=True)
    argv = ["/home/user/.environment/bin/python", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    about: dict[str, Any] = {"argv": argv, "display_name": "Python 3", "language": "python"}
    kernel.write_text(json.dumps({**about, "metadata": {"debugger": True}}))


def _script(place: Path, module: str) -> None:
    place.write_text(f"#!{INSIDE}/venv/bin/python\nfrom {module} import main\n\nmain()\n")
    place.chmod(0o755)


def _run(command: list[str], stdin: int | IO[bytes] = subprocess.DEVNULL) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=stdin)
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()[-1]
        raise Unavailable(
            f"A step of the build failed: {last[:300]}", where=" ".join(command[:4]), todo="Run it again."
        )

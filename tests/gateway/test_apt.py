"""Debian's own tools through the gateway, against an archive with a real package."""

from __future__ import annotations

import subprocess
from hashlib import md5, sha256

PLAIN = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}


def make_package(place):
    """A package that `dpkg-deb` makes."""
    control = place / "tide" / "DEBIAN" / "control"
    control.parent.mkdir(parents=True)
    control.write_text(
        "Package: tide\nVersion: 1.0-1\nArchitecture: all\n"
        "Maintainer: Nobody <nobody@example.org>\nDescription: Tides\n"
    )
    (place / "tide" / "usr" / "share").mkdir(parents=True)
    (place / "tide" / "usr" / "share" / "tide").write_text("ebb\n")
    # dpkg-deb takes no closed directory, whatever the umask of the tests' process.
    control.parent.chmod(0o755)
    command = ["dpkg-deb", "--root-owner-group", "--build", str(place / "tide"), str(place / "tide.deb")]
    subprocess.run(command, check=True, capture_output=True, env=PLAIN)
    return (place / "tide.deb").read_bytes(), control.read_text()


def test_apt_downloads_and_dpkg_unpacks_a_real_package(house_of, upstream, forward, tmp_path):
    deb, control = make_package(tmp_path)
    path = "pool/main/t/tide/tide_1.0-1_all.deb"
    listed = f"{control}Filename: {path}\nSize: {len(deb)}\nSHA256: {sha256(deb).hexdigest()}\n\n".encode()
    arch = subprocess.run(
        ["dpkg", "--print-architecture"], check=True, capture_output=True, text=True, env=PLAIN
    ).stdout.strip()
    packages = f"main/binary-{arch}/Packages"
    release = (
        f"Suite: stable\nCodename: stable\nArchitectures: {arch}\nComponents: main\n"
        f"Date: Sat, 01 Jun 2030 10:00:00 UTC\n"
        f"MD5Sum:\n {md5(listed).hexdigest()} {len(listed)} {packages}\n"
        f"SHA256:\n {sha256(listed).hexdigest()} {len(listed)} {packages}\n"
    )
    upstream.pages |= {
        f"/debian/{path}": deb,
        "/debian/dists/stable/Release": release.encode(),
        f"/debian/dists/stable/{packages}": listed,
    }
    house = house_of(indexes=True)
    root = tmp_path / "root"
    for name in ("state/lists/partial", "cache/archives/partial", "etc/sources.list.d", "etc/preferences.d"):
        (root / name).mkdir(parents=True)
    (root / "status").touch()
    with forward(house.machine().socket) as port:
        source = f"deb [trusted=yes] http://127.0.0.1:{port}/debian stable main\n"
        (root / "etc" / "sources.list").write_text(source)
        options = {
            "Dir::Etc": str(root / "etc"),
            "Dir::State": str(root / "state"),
            "Dir::State::status": str(root / "status"),
            "Dir::Cache": str(root / "cache"),
            "Acquire::Languages": "none",
            "APT::Sandbox::User": "",
            "Acquire::Check-Date": "false",
        }
        given = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]

        def apt(*words):
            return subprocess.run(
                ["apt-get", *given, *words], env=PLAIN, cwd=root, capture_output=True, text=True, check=False
            )

        updated = apt("update")
        assert updated.returncode == 0, updated.stdout + updated.stderr
        got = apt("download", "tide")
        assert got.returncode == 0, got.stdout + got.stderr
    (file,) = root.glob("tide_*.deb")
    subprocess.run(["dpkg-deb", "-x", str(file), str(root / "out")], check=True, env=PLAIN)
    assert (root / "out" / "usr" / "share" / "tide").read_text() == "ebb\n"
    fetched = [d for d in house.downloads if d.package]
    assert [(d.ecosystem, d.package, d.version, d.sha256) for d in fetched] == [
        ("debian", "tide", "1.0-1", sha256(deb).hexdigest())
    ]

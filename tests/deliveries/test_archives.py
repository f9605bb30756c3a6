"""Archives among delivered files: opened under limits, refused with a reason."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atoll.deliveries import ArchiveLimits, Content, Landing
from atoll.deliveries.archives import ArchiveRefused, members
from atoll.model.delivery import Delivery, ManifestFile

from .conftest import MAX_BYTES, delivery_of, everything_below

FILES = {"visits.csv": b"ID\n1\n", "march/subjects.csv": b"ID,AGE\n1,2\n", "empty.csv": b""}
SMALL = ArchiveLimits(files=5, opened_bytes=10_000_000, ratio=50)


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr("march/", b"")
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return out.getvalue()


def tarred(files: dict[str, bytes], *more: tarfile.TarInfo) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        folder = tarfile.TarInfo("march")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        for entry in more:
            archive.addfile(entry)
    return out.getvalue()


def zstandard(content: bytes) -> bytes:
    return bytes(pa.compress(content, codec="zstd", asbytes=True))


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type = kind
    entry.linkname = target
    return entry


def as_delivered(name: str, content: bytes) -> Delivery:
    delivery = delivery_of(content)
    return delivery.but(files=(ManifestFile(name=name, **delivery.files[0].model_dump(exclude={"name"})),))


def opened(place: Path, name: str, content: bytes, limits: ArchiveLimits = SMALL) -> tuple[Content, ...]:
    landing = Landing(place, MAX_BYTES, limits)
    delivery = as_delivered(name, content)
    landing.receive(delivery, 0, [content])
    found = landing.contents(delivery, lambda _: False)
    assert landing.contents(delivery, lambda _: True) == found
    return found


PACK: dict[str, Callable[[dict[str, bytes]], bytes]] = {
    "a.zip": zipped,
    "A.ZIP": lambda files: zipped(files, zipfile.ZIP_LZMA),
    "a.tar": tarred,
    "a.tar.gz": lambda files: gzip.compress(tarred(files)),
    "a.tgz": lambda files: gzip.compress(tarred(files)),
    "a.tar.zst": lambda files: zstandard(tarred(files)),
}


@pytest.mark.parametrize("name", PACK)
def test_members_are_files_of_the_delivery(place: Path, name: str) -> None:
    found = opened(place, name, PACK[name](FILES))
    assert {one.name: one.path.read_bytes() for one in found} == {f"{name}/{n}": c for n, c in FILES.items()}
    assert [one.size_bytes for one in found] == [len(content) for content in FILES.values()]
    assert all(one.path.stat().st_mode & 0o777 == 0o600 for one in found)


@pytest.mark.parametrize(
    ("name", "content"),
    [("v.csv.gz", gzip.compress(b"ID\n") * 2), ("v.csv.zst", zstandard(b"ID\nID\n"))],
    ids=["gz", "zst"],
)
def test_a_single_packed_file_is_its_content(place: Path, name: str, content: bytes) -> None:
    (found,) = opened(place, name, content)
    assert (found.name, found.path.read_bytes()) == (f"{name}/v.csv", b"ID\nID\n")


def test_a_file_that_a_table_takes_is_not_opened(landing: Landing) -> None:
    delivery = as_delivered("a.zip", zipped(FILES))
    landing.receive(delivery, 0, [zipped(FILES)])
    (found,) = landing.contents(delivery, lambda name: name == "a.zip")
    assert (found.name, found.path) == ("a.zip", landing.path(delivery, 0))


def encrypted() -> bytes:
    content = bytearray(zipped({"a.csv": b"x"}))
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = content.rindex(signature)
        content[start + at] |= 1
    return bytes(content)


def linked() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        entry = zipfile.ZipInfo("a.csv")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")
    return out.getvalue()


REFUSED: list[tuple[str, bytes, str]] = [
    ("a.zip", zipped({"../../etc/cron.d/x": b"x"}), "archive_path"),
    ("a.zip", zipped({"/etc/passwd": b"x"}), "archive_path"),
    ("a.zip", zipped({"..\\x.csv": b"x"}), "archive_path"),
    ("a.zip", zipped({"C:\\x.csv": b"x"}), "archive_path"),
    ("a.tar", tarred({"a/../../x.csv": b"x"}), "archive_path"),
    ("a.tar", tarred({"x.csv": b"x", "./x.csv": b"y"}), "archive_path"),
    ("a.tar", tarred({}, special("x.csv", tarfile.SYMTYPE, "/etc/passwd")), "archive_link"),
    ("a.tar", tarred({"y.csv": b""}, special("x.csv", tarfile.LNKTYPE, "y.csv")), "archive_link"),
    ("a.tar", tarred({}, special("x.csv", tarfile.FIFOTYPE)), "archive_link"),
    ("a.tar", tarred({}, special("x.csv", tarfile.CHRTYPE)), "archive_link"),
    ("a.zip", linked(), "archive_link"),
    ("a.zip", encrypted(), "archive_encrypted"),
    ("a.zip", zipped({"inner.zip": zipped(FILES)}), "archive_nested"),
    ("a.tar", tarred({"inner.tar.gz": b"x"}), "archive_nested"),
    ("a.zip", zipped({}), "archive_empty"),
    ("a.zip", zipped({f"{n}.csv": b"" for n in range(6)}), "archive_limit"),
    ("a.zip", zipped({"bomb.csv": bytes(10_000_001)}), "archive_limit"),
    ("a.csv.gz", gzip.compress(bytes(10_000_001)), "archive_limit"),
    ("a.csv.zst", zstandard(bytes(10_000_001)), "archive_limit"),
    ("a.zip", b"", "archive_broken"),
    ("a.zip", b"no archive at all", "archive_broken"),
    ("a.zip", zipped(FILES)[:-40], "archive_broken"),
    ("a.tar", b"no archive at all", "archive_broken"),
    ("a.tgz", gzip.compress(tarred(FILES))[:-30], "archive_broken"),
    ("a.csv.gz", gzip.compress(b"ID\n" * 1000)[:-9], "archive_broken"),
    ("a.csv.gz", b"no archive at all", "archive_broken"),
    ("a.csv.zst", zstandard(bytes(range(256)) * 100)[:-20], "archive_broken"),
    ("a.csv.zst", b"no archive at all", "archive_broken"),
]


@pytest.mark.parametrize(
    ("name", "content", "rule"), REFUSED, ids=[f"{n}-{name}-{rule}" for n, (name, _, rule) in enumerate(REFUSED)]
)
def test_what_may_not_be_opened_is_held_whole(place: Path, name: str, content: bytes, rule: str) -> None:
    (found,) = opened(place, name, content)
    assert (found.name, found.rule) == (name, rule)
    assert found.message.startswith("The archive was not opened. ")
    assert found.path.read_bytes() == content
    below = [path for path in everything_below(place) if "/opened/" in path]
    assert [Path(path).name for path in below] == ["0.json"]


def test_beyond_the_harmless_what_grows_too_much_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(bytes(70 * 2**20)))
    with pytest.raises(ArchiveRefused, match="the most for an archive of its size"):
        for _, chunks in members(path, "bomb.gz", ArchiveLimits(ratio=50)):
            for _ in chunks:
                pass


def test_an_archive_is_opened_anew_when_a_member_has_gone(landing: Landing) -> None:
    delivery = as_delivered("a.zip", zipped(FILES))
    landing.receive(delivery, 0, [zipped(FILES)])
    before = landing.contents(delivery, lambda _: False)
    before[1].path.unlink()
    assert landing.contents(delivery, lambda _: False) == before
    assert before[1].path.read_bytes() == FILES["march/subjects.csv"]


@given(cut=st.integers(0, 400), flip=st.integers(0, 400), name=st.sampled_from(sorted(PACK)), to=st.integers(0, 255))
def test_a_damaged_archive_is_refused_or_told_apart_by_its_checks_but_never_breaks(
    tmp_path_factory: pytest.TempPathFactory, cut: int, flip: int, name: str, to: int
) -> None:
    content = bytearray(PACK[name](FILES))
    content[flip % len(content)] = to
    path = tmp_path_factory.mktemp("damaged") / name
    path.write_bytes(bytes(content[: len(content) - cut % len(content)]))
    try:
        for _, chunks in members(path, name, SMALL):
            for _ in chunks:
                pass
    except ArchiveRefused as refused:
        assert refused.rule.startswith("archive_")

"""A package as it comes: however it was packed it is the same, and nothing in it leads outside."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import socket
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from manta_nb.compat.fedn.package.archive import Limits, Package, read_package, unpack
from manta_nb.errors import PackageError
from tests.compat.fedn.packages import FILES, PACKED, packed, tar_of, write_package, zip_of


def link(target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo()
    info.type, info.linkname = kind, target
    return info


def refused(path: Path, limits: Limits = Limits()) -> str:  # noqa: B008 - it is frozen
    with pytest.raises(PackageError) as caught:
        read_package(path, limits=limits)
    assert len(str(caught.value)) <= 200
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("how", PACKED)
def test_a_package_is_the_same_however_it_is_packed(how: str, tmp_path: Path) -> None:
    """Folder, project, any archive with any top folder: the same content, byte for byte, without what tools leave."""
    folder = write_package(tmp_path / "client")

    package = read_package(packed(how, folder, tmp_path / "out"))

    assert package.content == read_package(folder).content
    assert sorted(package.members()) == sorted([*FILES, "again.py", "empty"])
    assert package.spec.command("train") == "./entrypoint train"


def test_what_is_unpacked_is_what_was_packed(tmp_path: Path) -> None:
    """Texts, names in French, the executable bit, a link within and an empty folder."""
    package = read_package(write_package(tmp_path / "client"))

    unpack(package.content, tmp_path / "run")

    run = tmp_path / "run"
    assert {path: (run / path).read_text(encoding="utf-8") for path in FILES} == FILES
    assert os.access(run / "entrypoint", os.X_OK)
    assert not (run / "model.py").stat().st_mode & stat.S_IXUSR
    assert (run / "again.py").readlink() == Path("sub/Élève.py")
    assert list((run / "empty").iterdir()) == []


def test_the_checksum_is_that_of_the_archive_as_it_was_given(tmp_path: Path) -> None:
    """As FEDn computes it; of a folder it is that of the content."""
    folder = write_package(tmp_path / "client")
    archive = packed("tutorial's tgz", folder, tmp_path / "out")
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()

    package, of_folder = read_package(archive, checksum=digest.upper()), read_package(folder)

    assert digest == package.checksum
    assert hashlib.sha256(of_folder.content).hexdigest() == of_folder.checksum


def test_another_checksum_is_refused_before_the_archive_is_opened(tmp_path: Path) -> None:
    """Both are named by their first digits."""
    (tmp_path / "p.tgz").write_bytes(b"no archive at all")

    with pytest.raises(PackageError, match=r"the checksum of p.tgz is [0-9a-f]{16}…, not 1234"):
        read_package(tmp_path / "p.tgz", checksum="1234")


def test_content_that_was_kept_makes_the_package_again(tmp_path: Path) -> None:
    """`from_content` looks at it as at any archive."""
    package = read_package(write_package(tmp_path / "client"))

    again = Package.from_content("mine", package.content)

    assert (package.content, package.spec) == (again.content, again.spec)


def test_names_are_those_of_files_and_projects(tmp_path: Path) -> None:
    """`client` says nothing, so the project's name is the package's."""
    folder = write_package(tmp_path / "mnist" / "client")
    archive = packed("tutorial's tgz", folder, tmp_path)

    assert ["mnist", "mnist", "a"] == [read_package(path).name for path in (folder, folder.parent, archive)]


def test_sources_are_its_python_programs(tmp_path: Path) -> None:
    """With and without suffix: by the first line, or because a command calls them; a licence is none."""
    files = {**FILES, "plain": "import os\n", "notes": "no program\n", "broken.py": "a\0b"}
    files["fedn.yaml"] = "entry_points:\n  train:\n    command: /venv/bin/python plain\n"

    sources = read_package(write_package(tmp_path / "p", files)).sources()

    assert {"entrypoint", "model.py", "sub/Élève.py", "plain"} == set(sources)
    assert sources["model.py"] == "import torch\n"


def test_the_nearest_fedn_yaml_is_the_packages(tmp_path: Path) -> None:
    """`client` before others at the same depth; `scaleout.yaml` only where there is no `fedn.yaml` at all."""
    text = FILES["fedn.yaml"]
    two = tar_of(
        tmp_path / "two.tgz", {"a/fedn.yaml": text, "client/fedn.yaml": text, "client/x.py": ""}, spec=False
    )
    late = tar_of(tmp_path / "late.tgz", {"scaleout.yaml": text, "deep/er/fedn.yaml": text}, spec=False)
    renamed = tar_of(tmp_path / "renamed.tgz", {"client/scaleout.yaml": text}, spec=False)

    assert ["fedn.yaml", "x.py"] == sorted(read_package(two).members())
    assert any("of 2 folders with fedn.yaml, client/ is used" in note for note in read_package(two).notes)
    assert ["fedn.yaml"] == sorted(read_package(late).members())
    assert read_package(renamed).spec.file_name == "scaleout.yaml"


def test_a_folder_with_several_packages_is_a_question(tmp_path: Path) -> None:
    """Which of the examples of FEDn was meant, nobody can know."""
    for name in ("one", "two"):
        write_package(tmp_path / name / "client", FILES)
    for name in ("a", "b"):
        write_package(tmp_path / "more" / name, FILES)

    with pytest.raises(PackageError, match="more has several packages: a, b; name one of them"):
        read_package(tmp_path / "more")


def test_client_settings_beside_the_package_come_with_it(tmp_path: Path) -> None:
    """From the project, from beside the archive, or from within the archive; those nearest to the package first."""
    folder = write_package(tmp_path / "project" / "client")
    (folder.parent / "client_settings.yaml").write_text("lr: 1\n", encoding="utf-8")
    beside = packed("flat tgz", folder, folder.parent)
    inside = packed("wrong suffix", folder, tmp_path / "out")
    with zipfile.ZipFile(inside, "a") as archive:
        archive.writestr("client_settings.yaml", "lr: 2\n")

    assert [b"lr: 1\n"] * 3 == [read_package(path).settings for path in (folder, folder.parent, beside)]
    assert read_package(inside).settings == b"lr: 2\n"
    assert read_package(write_package(tmp_path / "alone" / "client")).settings is None


def test_ignored_files_of_a_folder_are_left_out(tmp_path: Path) -> None:
    """By the path in the package and by the name, as FEDn matches `.fednignore`; a folder goes with what it holds."""
    files = {
        "fedn.yaml": FILES["fedn.yaml"],
        "a.npz": "",
        "sub/b.npz": "",
        "notes/x.txt": "",
        "sub/keep.py": "",
    }
    folder = write_package(tmp_path / "client", files)
    (folder / ".fednignore").write_text("# models\n*.npz\nnotes/\n\n", encoding="utf-8")

    assert [".fednignore", "fedn.yaml", "sub/keep.py"] == sorted(read_package(folder).members())


def test_a_link_out_of_a_folder_is_left_out_and_said(tmp_path: Path) -> None:
    """A node could not follow it; the package is not lost for that."""
    folder = write_package(tmp_path / "client", FILES)
    (folder / "data").symlink_to(tmp_path)
    (folder / "up").symlink_to("../x")

    package = read_package(folder)

    assert not {"data", "up"} & set(package.members())
    assert len([note for note in package.notes if "the link leads out of the package" in note]) == 2


def test_what_is_beside_the_package_in_an_archive_is_left_out_and_said(tmp_path: Path) -> None:
    """The whole project tarred: the package is `client`, and a link from it to the rest leads nowhere now."""
    text = FILES["fedn.yaml"]
    members = {"client/fedn.yaml": text, "client/data": link("../data"), "data/x.npz": "", "README.md": ""}

    package = read_package(tar_of(tmp_path / "p.tgz", members, spec=False))

    assert ["fedn.yaml"] == sorted(package.members())
    assert "left out what is beside client/: README.md, data" in package.notes


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({"../evil": "x"}, "its member '../evil' leads outside of it"),
        ({"client/../../evil": "x"}, "leads outside"),
        ({"/etc/evil": "x"}, "leads outside"),
        ({"C:\\evil": "x"}, "leads outside"),
        ({"a\x1b[2Jb": "x"}, "control characters"),
        ({"a" * 300: "x"}, "too long"),
        ({"x": link("/etc/passwd")}, "a link that leads outside: '/etc/passwd'"),
        ({"x": link("../y")}, "a link that leads outside: '../y'"),
        ({"sub/x": link("../../y")}, "a link that leads outside"),
        ({"x": link("x")}, "a link that leads outside"),
        # each name stays inside, and the links together do not
        ({"a/b/top": link("../.."), "x": link("a/b/top/../y")}, "a link that leads outside"),
        ({"x": link("sub"), "x/y": "1"}, "inside 'x', which is a link"),
        ({"x": "1", "x/y": "1"}, "inside 'x', which is a file"),
        ({"x": link("/etc/passwd", tarfile.LNKTYPE)}, "leads outside"),
        ({"x": link("nothing", tarfile.LNKTYPE)}, "another name of 'nothing', which is not in it"),
        ({"x": link("", tarfile.CHRTYPE)}, "a device, a pipe"),
        ({"x": link("", tarfile.FIFOTYPE)}, "a device, a pipe"),
    ],
)  # fmt: skip
def test_a_member_that_leads_outside_is_refused(
    members: dict[str, object], told: str, tmp_path: Path
) -> None:
    """Nothing of such an archive is used, and the line names the member."""
    assert told in refused(tar_of(tmp_path / "p.tgz", members))


@pytest.mark.parametrize("members", [{"../evil": "x"}, {"/evil": "x"}, {"client\\..\\..\\evil": "x"}])
def test_a_zip_is_looked_at_in_the_same_way(members: dict[str, str], tmp_path: Path) -> None:
    """Names with `\\`, as Windows writes them, are paths as well."""
    made: dict[str | zipfile.ZipInfo, str] = {}
    for name, text in members.items():
        info = zipfile.ZipInfo(name)
        info.create_system = 0
        made[info] = text

    assert "leads outside" in refused(zip_of(tmp_path / "p.zip", made))


def test_links_within_stay_links_and_hard_links_become_files(tmp_path: Path) -> None:
    """The same bytes under another name, and a link to a folder."""
    members = {"a.py": "x = 1\n", "b.py": link("a.py", tarfile.LNKTYPE), "sub/c": "", "d": link("sub/../sub")}

    found = read_package(tar_of(tmp_path / "p.tgz", members)).members()

    assert ("file", b"x = 1\n") == (found["b.py"].kind, found["b.py"].data)
    assert ("link", "sub/../sub") == (found["d"].kind, found["d"].target)


def test_too_many_files_are_refused(tmp_path: Path) -> None:
    """Counted while they are read."""
    path = tar_of(tmp_path / "p.tgz", {f"{number}.py": "" for number in range(20)})

    assert "it has more than 10 files and folders" in refused(path, Limits(members=10))


def test_too_many_bytes_are_refused_by_their_headers(tmp_path: Path) -> None:
    """A bomb is not unpacked to find out: a thousand bytes say that a gigabyte follows."""
    header = tarfile.TarInfo("big")
    header.size = 3 * 2**30
    bomb = tmp_path / "p.tgz"
    bomb.write_bytes(gzip.compress(header.tobuf()))

    assert "unpacked it has more than 2,048 MB" in refused(bomb)


@pytest.mark.parametrize("copies", [{"a": "x" * 2_000_000, "b": "x" * 2_000_000}, {"a": "x" * 3_000_000}])
def test_files_together_count(copies: dict[str, str], tmp_path: Path) -> None:
    """Each for itself would be small enough, and compressed they are."""
    limits = Limits(nbytes=2_500_000)

    assert "more than 2 MB" in refused(tar_of(tmp_path / "p.tgz", dict(copies)), limits)
    with zipfile.ZipFile(tmp_path / "p.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in copies.items():
            archive.writestr(name, text)
    assert "more than 2 MB" in refused(tmp_path / "p.zip", limits)


def test_a_zip_that_lies_about_sizes_is_refused(tmp_path: Path) -> None:
    """Both headers say ten bytes, a million come out."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("fedn.yaml", "x" * 1_000_000)
    true = (1_000_000).to_bytes(4, "little")
    (tmp_path / "p.zip").write_bytes(stream.getvalue().replace(true, (10).to_bytes(4, "little")))

    assert "p.zip" in refused(tmp_path / "p.zip", Limits(nbytes=100_000))


def test_a_header_without_end_is_refused(tmp_path: Path) -> None:
    """A long name of a gigabyte of zeros is no name: reading stops where no package could be larger."""
    header = tarfile.TarInfo("././@LongLink")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 10**9
    (tmp_path / "p.tgz").write_bytes(gzip.compress(header.tobuf(tarfile.GNU_FORMAT) + bytes(80 * 2**20), 1))

    assert "p.tgz" in refused(tmp_path / "p.tgz", Limits(nbytes=1000))


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"\x1f\x8bnot gzip", b"PK\x03\x04 not zip", b"BZh9 no", bytes(4096)]
)
def test_what_is_no_archive_is_said(data: bytes, tmp_path: Path) -> None:
    """One line that names the file."""
    (tmp_path / "p.tgz").write_bytes(data)

    assert "p.tgz" in refused(tmp_path / "p.tgz")


def test_half_an_archive_is_refused(tmp_path: Path) -> None:
    """A download that broke off."""
    path = packed("tutorial's tgz", write_package(tmp_path / "client"), tmp_path / "out")
    path.write_bytes(path.read_bytes()[:-20])

    assert "cannot be read as .tgz" in refused(path)


def test_no_fedn_yaml_says_what_is_there_instead(tmp_path: Path) -> None:
    """In an archive and in a folder."""
    archive = tar_of(tmp_path / "p.tgz", {"client/train.py": "", "README.md": ""}, spec=False)
    write_package(tmp_path / "folder", {"train.py": ""})

    assert "p.tgz has no fedn.yaml: it has README.md, client" in refused(archive)
    assert "folder has no fedn.yaml: it has train.py" in refused(tmp_path / "folder")


def test_a_path_that_is_not_there_is_said(tmp_path: Path) -> None:
    """With the path as it was typed."""
    assert "there is no package at" in refused(tmp_path / "nothing.tgz")


def test_a_socket_in_a_folder_is_no_file_of_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading it would wait for ever, or fail."""
    folder = write_package(tmp_path / "client", FILES)
    os.mkfifo(folder / "pipe")
    monkeypatch.chdir(folder)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")

        assert sorted(FILES) == sorted(read_package(folder).members())


def test_names_in_a_zip_are_utf_8_even_where_nobody_says_so(tmp_path: Path) -> None:
    """Many programs write UTF-8 without the flag that says it."""
    path = zip_of(tmp_path / "p.zip", {"XXXX.py": ""})
    path.write_bytes(path.read_bytes().replace(b"XXXX.py", "é.py ".encode()[:5] + b"py"))

    assert any(name.startswith("é") for name in read_package(path).members())


def test_scripts_of_a_zip_without_modes_are_executable(tmp_path: Path) -> None:
    """Windows knows no executable files: what says what runs it, is one."""
    info = zipfile.ZipInfo("entrypoint")
    info.create_system, info.external_attr = 0, 0x20
    path = zip_of(tmp_path / "p.zip", {info: FILES["entrypoint"]})

    members = read_package(path).members()

    assert members["entrypoint"].executable
    assert not members["fedn.yaml"].executable


def test_content_is_unpacked_into_an_empty_folder_only(tmp_path: Path) -> None:
    """Nothing that is there is overwritten, and no link that is there is followed."""
    package = read_package(write_package(tmp_path / "client"))

    with pytest.raises(PackageError, match="is not empty"):
        unpack(package.content, tmp_path / "client")


def test_hostile_content_writes_nothing(tmp_path: Path) -> None:
    """What comes from another machine is looked at again."""
    evil = gzip.decompress(tar_of(tmp_path / "p.tgz", {"a.py": "", "../evil": "x"}).read_bytes())

    with pytest.raises(PackageError, match="leads outside"):
        unpack(evil, tmp_path / "run")
    assert not (tmp_path / "run").exists()

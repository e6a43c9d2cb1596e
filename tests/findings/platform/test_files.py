"""Which files are read: every one is read or named with the reason."""

import os
from pathlib import Path

import pytest

from findings.platform import files
from findings.platform.files import MOST_BYTES, File, Skipped, decoded, walk


def seen(*paths: Path) -> dict[str, str]:
    return {each.path: each.text if isinstance(each, File) else f"! {each.reason}" for each in walk(paths)}


def test_every_file_is_read_or_named_in_the_order_of_names(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "z.yaml").write_text("z")
    (tmp_path / "b" / "a.yaml").write_text("a")
    (tmp_path / "c.bin").write_bytes(b"\x7fELF\x00\x01")
    (tmp_path / "d.txt").write_bytes(b"\xff\xfe\xfd")
    found = seen(tmp_path)
    assert found == {"c.bin": "! binary", "d.txt": "! not UTF-8 at byte 0", "b/a.yaml": "a", "b/z.yaml": "z"}
    assert list(found) == ["c.bin", "d.txt", "b/a.yaml", "b/z.yaml"]


def test_what_powershell_wrote_is_text(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: ä", encoding="utf-16")
    assert seen(tmp_path) == {"a.yaml": "a: ä"}


def test_folders_that_are_nobodys_configuration_are_named_and_not_entered(tmp_path: Path) -> None:
    for name in (".git", "node_modules", ".terraform"):
        (tmp_path / name / "deep").mkdir(parents=True)
        (tmp_path / name / "deep" / "x.yaml").write_text("a: 1")
    assert seen(tmp_path) == {
        ".git/": "! version control",
        "node_modules/": "! dependencies",
        ".terraform/": "! downloaded modules",
    }


def test_a_huge_file_is_named_and_not_read(tmp_path: Path) -> None:
    with (tmp_path / "big.yaml").open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    assert seen(tmp_path) == {"big.yaml": "! larger than 5 MB"}
    assert isinstance(decoded("x", b"a" * (MOST_BYTES + 1)), Skipped)


def test_a_link_to_nothing_and_a_pipe_are_named(tmp_path: Path) -> None:
    (tmp_path / "gone.yaml").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe.yaml")
    assert seen(tmp_path) == {"gone.yaml": "! a link to nothing", "pipe.yaml": "! no regular file"}


def test_a_single_file_is_named_without_its_folder(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: 1")
    assert seen(tmp_path / "a.yaml") == {"a.yaml": "a: 1"}


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xef\xbb\xbfa: 1")
    assert seen(tmp_path) == {"a.yaml": "a: 1"}


def test_what_a_link_leads_to_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "api.yaml").write_text("a: 1")
    (tmp_path / "current.yaml").symlink_to(tmp_path / "base" / "api.yaml")
    (tmp_path / "prod").symlink_to("base", target_is_directory=True)
    (tmp_path / "base" / "circle").symlink_to(tmp_path, target_is_directory=True)
    assert seen(tmp_path) == {
        "base/api.yaml": "a: 1",
        "current.yaml": "! a link to what is read",
        "prod": "! a link to what is read",
        "base/circle": "! a link to what is read",
    }


def test_a_link_out_of_a_folder_is_read_when_it_leads_to_a_file_and_named_when_it_leads_to_a_folder(
    tmp_path: Path,
) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "api.yaml").write_text("a: 1")
    given = tmp_path / "given"
    (given / "node_modules").mkdir(parents=True)
    (given / "node_modules" / "b.yaml").write_text("b: 1")
    (given / "api.yaml").symlink_to(tmp_path / "shared" / "api.yaml")
    (given / "b.yaml").symlink_to(given / "node_modules" / "b.yaml")
    (given / "shared").symlink_to(tmp_path / "shared", target_is_directory=True)
    found = list(walk([given]))
    assert [each for each in found if isinstance(each, Skipped) and each.is_error] == [
        Skipped("shared/", "a link to a folder elsewhere: give it as a path too")
    ]
    assert [each for each in found if isinstance(each, File)] == [File("api.yaml", "a: 1"), File("b.yaml", "b: 1")]


def test_a_link_that_is_given_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.yaml").write_text("a: 1")
    (tmp_path / "real" / "b.yaml").symlink_to("a.yaml")
    (tmp_path / "given").symlink_to("real", target_is_directory=True)
    assert seen(tmp_path / "given") == {"a.yaml": "a: 1", "b.yaml": "! a link to what is read"}


def test_a_link_to_a_file_that_is_given_by_itself_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: 1")
    (tmp_path / "b.yaml").symlink_to("a.yaml")
    assert seen(tmp_path / "b.yaml") == {"b.yaml": "a: 1"}


EXPORT = '{"apiVersion": "v1", "kind": "List", "items": []}'


@pytest.mark.parametrize(
    "text",
    [EXPORT, "apiVersion: v1\nkind: List\nitems: []", '{"format_version": "1.2", "planned_values": {}}',
     '\n{\n    "items": [], "kind": "List", "apiVersion": "v1"}'],
)  # fmt: skip
def test_what_a_cluster_or_a_plan_prints_of_all_there_is_may_be_larger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(files, "MOST_BYTES", 20)
    (tmp_path / "export.json").write_text(text)
    (tmp_path / "places.json").write_text('{"type": "FeatureCollection"}')
    (tmp_path / "export.txt").write_text(text)
    assert seen(tmp_path) == {
        "export.json": text, "export.txt": "! larger than 0 MB", "places.json": "! larger than 0 MB",
    }  # fmt: skip
    assert decoded("export.json", text.encode()) == File("export.json", text)


def test_an_export_that_is_too_large_even_so_was_not_looked_at_and_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MOST_BYTES", 20)
    monkeypatch.setattr(files, "MOST_OF_EXPORT", 30)
    (tmp_path / "export.json").write_text(EXPORT)
    (found,) = walk([tmp_path])
    assert isinstance(found, Skipped)
    assert found.is_error
    assert found.reason.endswith("divide it, by namespace or kind")


@pytest.mark.parametrize(
    "path",
    [
        "orders/src/test/resources/application-test.yml", "tests/api.yaml", "pkg/x/testdata/rules.yml",
        "web/__snapshots__/a.json", "e2e-tests/compose.yaml", "fixtures/settings.json", "test/e2e/manifests/api.yaml",
        "e2e_test/api.yaml", "sdk/test_yaml/api.yaml", "charts/api/ci/ha-values.yaml",
        "tests_deployment/api.yaml", "src/_api_testutils/load.py",
        "api/tests.py", "api/test_jwt.py", "qa/tasks/helper.py", "api/jwt_test.py",
    ],
)  # fmt: skip
def test_what_is_of_tests_is_named_and_not_read(tmp_path: Path, path: str) -> None:
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_text("a = 1")
    assert seen(tmp_path) == {path: "! of an application's tests alone"}


@pytest.mark.parametrize(
    "path",
    [
        "src/main/tests.yml",
        "overlays/test/api.yaml",
        "test/values.yaml",
        "ci/values.yaml",
        "eks-test/api.yaml",
        "latest/api.yaml",
        "contests_eu/api.yaml",
        "contest.py",
    ],
)
def test_an_environment_that_is_called_test_is_read(tmp_path: Path, path: str) -> None:
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_text("a = 1")
    assert seen(tmp_path) == {path: "a = 1"}


def test_python_that_imports_pytest_is_of_tests_wherever_it_stands(tmp_path: Path) -> None:
    of_tests, lazy = "import pytest\n\na = 1\n", "def run():\n    import pytest\n"
    (tmp_path / "plugin.py").write_text(of_tests)
    (tmp_path / "runner.py").write_text(lazy)
    assert seen(tmp_path) == {"plugin.py": "! of an application's tests alone", "runner.py": lazy}
    assert seen(tmp_path / "plugin.py") == {"plugin.py": of_tests}


def test_tests_that_somebody_names_are_read(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_api.py").write_text("a = 1")
    assert seen(tmp_path / "tests") == {"test_api.py": "! of an application's tests alone"}
    assert seen(tmp_path / "tests" / "test_api.py") == {"test_api.py": "a = 1"}


def test_files_beyond_the_most_are_named_once_and_end_the_walk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_FILES", 2)
    for name in "abcd":
        (tmp_path / f"{name}.yaml").write_text(name)
    assert seen(tmp_path) == {"a.yaml": "a", "b.yaml": "b", "c.yaml": "! more than 2 files"}
    assert [each.is_error for each in walk([tmp_path]) if isinstance(each, Skipped)] == [True]


def test_a_file_that_cannot_be_opened_is_named_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "a.yaml").write_text("a: 1")
    monkeypatch.setattr(Path, "open", refuse)
    assert seen(tmp_path) == {"a.yaml": "! cannot be read: Permission denied"}


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        (".git/config.yaml", (".git/", "version control")),
        ("web/node_modules/a/b.json", ("web/node_modules/", "dependencies")),
        ("web/node_modules", None),  # a file of that name
        ("web/api.yaml", None),
        ("api.yaml", None),
    ],
)
def test_a_file_below_a_folder_that_nobody_wrote_is_told_by_that_folder(
    path: str, folder: tuple[str, str] | None
) -> None:
    assert files.in_skipped_folder(path) == (folder and Skipped(*folder))

"""The commands that ask a server, against one that answers as it is told: what is sent, and what goes wrong."""

import json
import threading
from collections.abc import Callable, Iterator
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest

from platform_risk import cli


class Asked(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Answer = tuple[int, dict[str, str], bytes] | None  # None: hang up


class Server:
    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answers: list[Answer] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *args: Any) -> None: ...

            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                outer.asked.append(Asked(self.command, self.path, dict(self.headers.items()), body))
                answer = outer.answers.pop(0)
                if answer is None:
                    self.connection.close()
                    return
                status, headers, text = answer
                self.send_response(status)
                for name, value in {"Content-Length": str(len(text)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)
                self.close_connection = True

            do_GET = do_POST = _answer

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def says(self, *answers: Any, status: int = 200) -> None:
        self.answers += [(status, {}, json.dumps(each).encode()) for each in answers]

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    made = Server()
    monkeypatch.setenv("PLATFORM_RISK_URL", made.url)
    monkeypatch.setenv("PLATFORM_RISK_TOKEN", "t0ken")
    yield made
    made.close()


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    def run_(*arguments: object) -> tuple[int, str, str]:
        code = cli.main([str(each) for each in arguments])
        out, err = capfdbinary.readouterr()
        return code, out.decode(), err.decode()

    return run_


def queued(**more: Any) -> dict[str, Any]:
    counts = dict.fromkeys(("read", "new", "changed", "unchanged", "reopened", "closed", "rejected"), 0)
    return {"id": "7", "state": "queued", "file_name": "a.sarif", "format": None, "counts": counts, "error": None,
            "duplicate_of": None, "progress": {"bytes": 0, "bytes_total": 1}, **more}  # fmt: skip


def finding(number: str = "1", **more: Any) -> dict[str, Any]:
    return {"number": number, "lane": "critical", "severity": "high", "status": "new", "service": "shop",
            "title": "Pool too large", "fingerprint": f"f{number}",
            "location": {"path": "a.yaml", "line": 3}, **more}  # fmt: skip


def page(*rows: Any, following: str | None = None) -> dict[str, Any]:
    return {"results": list(rows), "next": following, "previous": None}


def fields_of(asked: Asked) -> dict[str, Any]:
    head = f"Content-Type: {asked.headers['Content-Type']}\r\n\r\n".encode()
    parts = BytesParser().parsebytes(head + asked.body).get_payload()
    return {each.get_param("name", header="content-disposition"): each for each in parts}  # type: ignore[union-attr, misc]


def test_a_file_is_sent_whole_with_what_was_said_of_it(server: Server, run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.sarif").write_bytes(b"\x00\xff{}" * 50_000)
    server.says(queued(), status=202)
    code, out, _ = run("import", tmp_path / "a.sarif", "--service", "shop", "--branch", "x/ö", "--complete", "no")
    assert (code, out) == (0, "import 7 queued: a.sarif\n")
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("POST", "/api/v1/imports/")
    assert asked.headers["Authorization"] == "Bearer t0ken"
    fields = fields_of(asked)
    assert fields["file"].get_filename() == "a.sarif"
    assert b"\x00\xff{}" * 50_000 in asked.body
    assert fields["complete"].get_payload() == "no"
    assert "x/ö".encode() in asked.body


def test_a_line_that_breaks_is_tried_again_with_the_same_key(
    server: Server, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform_risk.cli.client.time.sleep", lambda _: None)
    (tmp_path / "a.sarif").write_text("{}")
    server.answers.append(None)
    server.says(queued(), status=202)
    assert run("import", tmp_path / "a.sarif", "--service", "shop")[0] == 0
    assert len({each.headers["Idempotency-Key"] for each in server.asked}) == 1
    assert len(server.asked) == 2


def test_a_folder_is_packed_as_configuration_without_what_no_scan_reads(
    server: Server, run: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "platform"
    (folder / ".git").mkdir(parents=True)
    (folder / ".git" / "config").write_text("secret")
    (folder / "api.yaml").write_text("kind: Deployment\n")
    (folder / "out").symlink_to("/etc/passwd")
    server.says(queued(), status=202)
    assert run("import", folder, "--service", "shop")[0] == 0
    fields = fields_of(server.asked[0])
    assert fields["kind"].get_payload() == "platform"
    packed = server.asked[0].body
    assert b"api.yaml" in packed
    assert b".git" not in packed
    assert b"passwd" not in packed


@pytest.mark.parametrize(("state", "expected"), [("done", 0), ("failed", 1), ("cancelled", 1)])
def test_waiting_ends_with_what_became_of_it(
    server: Server, run: Run, tmp_path: Path, state: str, expected: int
) -> None:
    (tmp_path / "a.sarif").write_text("{}")
    error = {"message": "It ends too soon.", "remedy": "Write it again.", "location": {"line": 3, "column": None}}
    ended = queued(state=state, format="sarif", error=error if state == "failed" else None)
    ended["counts"] |= {"read": 3, "new": 2, "unchanged": 1}
    server.says(queued(), queued(state="running"), ended)
    code, out, _ = run("import", tmp_path / "a.sarif", "--service", "shop", "--wait")
    assert code == expected
    assert {"done": "3 read, 2 new, 1 unchanged", "failed": "It ends too soon. (line 3) Write it again.",
            "cancelled": "import 7 cancelled"}[state] in out  # fmt: skip


def test_the_gate_counts_what_the_default_branch_does_not_have(server: Server, run: Run) -> None:
    service = {"default_branch": "main"}
    mine = page(finding("1"), finding("2", fingerprint="f9"), finding("3", lane="optimization"))
    server.says(service, page(queued()), mine, page(finding("9", fingerprint="f9", status="accepted")))
    code, out, err = run("gate", "--service", "shop", "--branch", "feature")
    assert code == 1
    assert out.splitlines() == ["1  critical  high  new  shop  Pool too large  a.yaml:3"]
    assert "3 open, 1 of them known on main; 1 at or above critical" in err


def test_what_was_fixed_on_the_default_branch_fails_the_gate_when_it_comes_back(server: Server, run: Run) -> None:
    known = page(finding("9", fingerprint="f1", status="fixed"))
    server.says({"default_branch": "main"}, page(queued()), page(finding("1")), known)
    assert run("gate", "--service", "shop", "--branch", "feature")[0] == 1


def test_a_branch_that_sent_nothing_passes_no_gate(server: Server, run: Run) -> None:
    server.says({"default_branch": "main"}, page())
    code, _, err = run("gate", "--service", "shop", "--branch", "feature")
    assert code == 2
    assert "nothing was imported for branch feature" in err


def test_a_gate_of_a_service_that_is_not_there_says_so(server: Server, run: Run) -> None:
    server.says({"detail": "Not found."}, status=404)
    code, _, err = run("gate", "--service", "shop")
    assert (code, "there is no service shop" in err) == (2, True)


def test_findings_follow_pages_and_stop_at_the_limit(server: Server, run: Run) -> None:
    server.says(page(finding("1"), finding("2"), following="https://elsewhere.example/api/v1/findings/?cursor=a%2Bb"))
    server.says(page(finding("3", title="a\x1b[31mb"), finding("4")))
    code, out, _ = run("findings", "is:open", "owner:me", "--limit", "3")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == ["1", "2", "3"]
    assert "\x1b" not in out
    assert "q=is%3Aopen%20owner%3Ame" in server.asked[0].path
    assert server.asked[1].path == "/api/v1/findings/?cursor=a%2Bb"


def test_a_filter_may_exclude_and_go_on_behind_an_option(server: Server, run: Run) -> None:
    server.says(page())
    assert run("findings", "lane:critical", "-status:fixed", "--limit", "3", "-is:overdue", "token")[0] == 0
    asked = parse_qs(urlsplit(server.asked[0].path).query)["q"][0]
    assert set(asked.split()) == {"lane:critical", "-status:fixed", "-is:overdue", "token"}


@pytest.mark.parametrize(
    "arguments", [("findings", "-status"), ("findings", "--owner"), ("gate", "--service", "a", "b")]
)
def test_what_is_no_filter_is_refused(run: Run, arguments: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as stopped:
        run(*arguments)
    assert stopped.value.code == 2


def test_an_export_that_breaks_off_leaves_no_file(server: Server, run: Run, tmp_path: Path) -> None:
    server.answers.append((200, {"Content-Length": "99"}, b"number,title\n"))
    code, _, err = run("export", "--output", tmp_path / "all.csv")
    assert code == 2
    assert "broke off" in err
    assert list(tmp_path.iterdir()) == []


def test_an_export_is_written_as_it_comes(server: Server, run: Run, tmp_path: Path) -> None:
    server.answers.append((200, {}, b"number,title\n1,x\n"))
    assert run("export", "lane:critical", "--output", tmp_path / "all.csv")[0] == 0
    assert (tmp_path / "all.csv").read_bytes() == b"number,title\n1,x\n"
    assert "format=csv" in server.asked[0].path


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((401, {}, b'{"detail": "This token is not known."}'), "does not take the token: This token is not known."),
        ((302, {"Location": "https://evil.example/"}, b""), "answers with another address, https://evil.example/"),
        ((200, {}, b"<html>"), "is no JSON"),
        ((500, {}, b"<html>"), "it answered 500"),
        ((400, {}, b'{"detail": "No.", "errors": [{"parameter": "q", "detail": "odd"}]}'), "No.; q: odd"),
        (None, "cannot be reached"),
    ],
)
def test_what_a_server_refuses_is_said_in_one_line(server: Server, run: Run, answer: Answer, said: str) -> None:
    server.answers.append(answer)
    code, out, err = run("findings")
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PLATFORM_RISK_URL", "", "PLATFORM_RISK_URL is not set"),
        ("PLATFORM_RISK_URL", "file:///etc/passwd", "begins with https"),
        ("PLATFORM_RISK_TOKEN", "", "PLATFORM_RISK_TOKEN is not set"),
        ("PLATFORM_RISK_TOKEN", "a\nb", "characters that no token has"),
    ],
)
def test_what_is_missing_is_named(
    server: Server, run: Run, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    code, _, err = run("findings")
    assert (code, said in err) == (2, True)


def test_a_scan_needs_a_service_and_a_file(server: Server, run: Run, tmp_path: Path) -> None:
    assert "--service is missing" in run("import", tmp_path)[2]
    assert "there is no such file" in run("import", tmp_path / "none", "--service", "shop")[2]
    assert "there is no file in this folder" in run("import", tmp_path, "--service", "shop")[2]
    assert server.asked == []

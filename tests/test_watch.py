"""`labreport watch`: it builds what changes, tells the browser, and gives out the report alone."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from labreport.cli import serve
from labreport.cli.app import app
from labreport.cli.serve import Server, policy, serving
from labreport.freshness import RECORD, ReportRecord

PAGE = (
    b'<html><head><meta http-equiv="Content-Security-Policy" content="default-src \'none\'">\n'
    b"<title>x</title></head><body>the report</body></html>"
)


def write_report(output: Path, page: bytes = PAGE) -> None:
    files = {"report.html": page, "report.en.html": page, "runs.csv": b"a,b\n"}
    output.mkdir(exist_ok=True)
    for name, content in files.items():
        (output / name).write_bytes(content)
    digests = {name: sha256(content).hexdigest() for name, content in files.items()}
    (output / RECORD).write_bytes(ReportRecord((), {"lab": "x"}, digests, ()).content())


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    write_report(tmp_path / "output")
    (tmp_path / "output" / "private.txt").write_bytes(b"private")
    (tmp_path / "lab.toml").write_bytes(b"private")
    with serving(tmp_path / "output") as server:
        yield server


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


def ask(server: Server, target: str, method: str = "GET", host: str | None = None) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    connection.putrequest(method, target, skip_host=True)
    connection.putheader("Host", server.hosts[0] if host is None else host)
    connection.endheaders()
    answer = connection.getresponse()
    headers = {name.lower(): value for name, value in answer.getheaders()}
    body = answer.read()
    connection.close()
    return Answer(answer.status, headers, body)


# --- the server --------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["/", "/report.html", "/report.en.html", "/?x=1"])
def test_a_page_is_served_with_one_script_that_alone_may_run(server: Server, target: str) -> None:
    answer = ask(server, target)
    assert answer.status == 200
    (nonce,) = re.findall(rb'<script nonce="([\w-]{20,})">', answer.body)
    assert answer.body.count(b"<script") == 1
    policy = answer.headers["content-security-policy"]
    assert f"script-src 'nonce-{nonce.decode()}'; connect-src 'self'" in policy
    assert "default-src 'none'" in policy
    # In the page there is no other policy, which would forbid the script.
    assert b"Content-Security-Policy" not in answer.body
    without = re.sub(rb"<script.*?</script>\n", b"", answer.body, flags=re.DOTALL)
    assert without == PAGE.replace(PAGE[PAGE.index(b"<meta") : PAGE.index(b"<title")], b"")
    assert ask(server, target).body != answer.body
    assert (server.output / "report.html").read_bytes() == PAGE


def test_other_files_are_served_as_they_are(server: Server) -> None:
    answer = ask(server, "/runs.csv")
    assert (answer.status, answer.body) == (200, b"a,b\n")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "target",
    [
        *(
            "/private.txt",
            "/report.json",
            "/.lock",
            "/runs/",
            "/runs",
            "/../lab.toml",
            "//lab.toml",
        ),
        *("/..%2flab.toml", "/%2e%2e/lab.toml", "/./runs.csv", "/runs.csv/", "/etc/passwd", "/%00"),
        *("/..\\lab.toml", "report.html/..", "/report.html%00", "http://evil.example/private.txt"),
        *("/" + "a" * 5000, "/\x7f"[:1] + "é".encode().decode("latin-1")),
    ],
)
def test_nothing_else_is_given_out(server: Server, target: str) -> None:
    answer = ask_raw(server, target.encode("latin-1"))
    assert not answer.startswith(b"HTTP/1.0 200")
    assert b"private" not in answer.partition(b"\r\n\r\n")[2].replace(b"private.txt", b"")


@pytest.mark.parametrize("kind", ["changed", "link", "pipe", "folder", "gone"])
def test_a_file_that_is_not_as_it_was_written_is_not_given_out(server: Server, kind: str) -> None:
    path = server.output / "report.html"
    path.unlink()
    if kind == "changed":
        path.write_bytes(b"private")
    elif kind == "link":
        path.symlink_to(server.output / "report.en.html")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    assert ask(server, "/").status == 404


def ask_raw(server: Server, target: bytes) -> bytes:
    """As a program asks that keeps to no rules."""
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=20) as connection:
        host = server.hosts[0].encode()
        connection.sendall(b"GET " + target + b" HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")
        return connection.makefile("rb").read()


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "", "[::1]:{port}"]
)
@pytest.mark.parametrize("target", ["/", "/runs.csv", "/changes?from=x"])
def test_a_name_that_was_turned_to_this_machine_gets_nothing(
    server: Server, host: str, target: str
) -> None:
    answer = ask(server, target, host=host.format(port=server.server_port))
    assert answer.status == 421
    assert b"report" not in answer.body
    assert ask(server, target, host=f"localhost:{server.server_port}").status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD", "OPTIONS", "<script>"])
def test_only_get_is_answered(server: Server, method: str) -> None:
    answer = ask(server, "/", method)
    assert answer.status in (400, 501)
    assert b"<script>" not in answer.body


def test_it_listens_on_this_machine_alone(server: Server) -> None:
    assert server.server_address[0] == "127.0.0.1"


def test_a_page_of_another_version_is_told_at_once_and_the_same_one_waits(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serve, "PAUSE", 0.05)
    version = version_of(ask(server, "/").body)
    assert ask(server, "/changes?from=another").body == f"data: {version}\n\n".encode()
    heard: list[bytes] = []
    asked = threading.Thread(
        target=lambda: heard.append(ask(server, "/changes?from=" + version).body)
    )
    asked.start()
    asked.join(0.5)
    assert asked.is_alive()
    server.announce()
    asked.join(0.2)
    assert asked.is_alive()
    write_report(server.output, PAGE.replace(b"the report", b"another one"))
    server.announce()
    asked.join(20)
    assert b"another one" in ask(server, "/").body
    (lines,) = heard
    assert lines.startswith(b": nothing new\n\n")
    assert lines.endswith(f"data: {version_of(ask(server, '/').body)}\n\n".encode())
    assert lines.count(b"data:") == 1


def version_of(page: bytes) -> str:
    (version,) = re.findall(rb"changes\?from=(\w+)", page)
    return version.decode()


def test_without_a_report_there_is_nothing_to_see(tmp_path: Path) -> None:
    with serving(tmp_path / "nowhere") as server:
        assert ask(server, "/").status == 404
        write_report(tmp_path / "nowhere")
        assert ask(server, "/").status == 200
        (tmp_path / "nowhere" / "report.html").unlink()
        assert ask(server, "/").status == 404


@pytest.mark.parametrize(
    ("locale", "said"), [("zh_CN", "无法使用端口"), ("en_US", "is not to be had")]
)
def test_a_port_that_is_taken_is_told(server: Server, locale: str, said: str) -> None:
    arguments = ["watch", "--no-browser", "--port", str(server.server_port)]
    done = CliRunner().invoke(app, arguments, env={"LC_ALL": f"{locale}.UTF-8"})
    assert done.exit_code == 2
    assert f"{server.server_port}" in done.stderr
    assert said in done.stderr


# --- the command -------------------------------------------------------------------------------


@dataclass
class Watching:
    """A `labreport watch` that is at work."""

    process: subprocess.Popen[str]
    said: list[str] = field(default_factory=list)
    news: threading.Condition = field(default_factory=threading.Condition)

    def listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self.news:
                self.said.append(line)
                self.news.notify_all()

    def wait_for(self, words: str, times: int = 1) -> None:
        with self.news:
            there = self.news.wait_for(
                lambda: sum(words in line for line in self.said) >= times, timeout=90
            )
        assert there, "".join(self.said)


@contextmanager
def watching(folder: Path, *arguments: str) -> Iterator[Watching]:
    with subprocess.Popen(
        [sys.executable, "-m", "labreport", "watch", "--no-browser", *arguments],
        cwd=folder,
        env={**os.environ, "LC_ALL": "en_US.UTF-8"},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        encoding="utf-8",
        start_new_session=True,
    ) as process:
        watched = Watching(process)
        threading.Thread(target=watched.listen, daemon=True).start()
        try:
            yield watched
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="a terminal interrupts a group of processes")
def test_what_changes_is_built_and_told_and_faults_are_survived(
    write_lab: Callable[..., Path], base_text: str, tmp_path: Path
) -> None:
    text = base_text + '[experiment.a]\ntitle = "The first title"\n'
    lab = write_lab(text, name="my lab.toml")
    with watching(tmp_path, lab.name, "--lang", "en", "-o", "out put") as watched:
        watched.wait_for("1 trained, 0 from the store")
        watched.wait_for("reflection")
        (address,) = re.findall(r"http://127.0.0.1:(\d+)/", "".join(watched.said))
        there: Any = type("There", (), {"server_port": int(address)})
        there.hosts = (f"127.0.0.1:{address}",)
        page = wait_for_page(there, b"The first title")
        stored = (tmp_path / "out put" / "report.html").read_bytes()
        assert b"EventSource" not in stored

        lab.write_text(text.replace("first", "second"), encoding="utf-8")
        event = ask(there, "/changes?from=" + version_of(page)).body
        page = ask(there, "/").body
        assert b"The second title" in page
        assert event.endswith(f"data: {version_of(page)}\n\n".encode())

        lab.write_text(text + "rounds = ten", encoding="utf-8")
        watched.wait_for("my lab.toml:")
        watched.wait_for("nothing was written")
        assert version_of(ask(there, "/").body) == version_of(page)

        lab.unlink()
        watched.wait_for("nothing was written", times=2)
        lab.write_text(text.replace("first", "third"), encoding="utf-8")
        ask(there, "/changes?from=" + version_of(page))
        page = ask(there, "/").body
        assert b"The third title" in page

        (tmp_path / "notes").mkdir()
        (tmp_path / "notes" / "a.md").write_text("What I noted.", encoding="utf-8")
        ask(there, "/changes?from=" + version_of(page))
        assert b"What I noted." in ask(there, "/").body

        os.killpg(watched.process.pid, signal.SIGINT)
        assert watched.process.wait(30) == 0
        watched.wait_for("No longer watching.")
    assert "Traceback" not in "".join(watched.said)


def wait_for_page(server: Any, words: bytes) -> bytes:
    """The page, once a build has written it."""
    if words not in (page := ask(server, "/").body):
        ask(server, "/changes?from=" + (version_of(page) if b"changes" in page else ""))
        page = ask(server, "/").body
    assert words in page
    return page


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="a terminal interrupts a group of processes")
def test_to_interrupt_a_build_ends_watching_too(
    write_lab: Callable[..., Path], base_text: str, tmp_path: Path
) -> None:
    lab = write_lab(base_text + '[experiment.a]\ntitle = "A"\n')
    with watching(tmp_path, lab.name) as watched:
        watched.wait_for("the report is at")
        time.sleep(1)
        os.killpg(watched.process.pid, signal.SIGINT)
        assert watched.process.wait(30) == 0
        watched.wait_for("No longer watching.")
    assert "Traceback" not in "".join(watched.said)


def test_watching_and_serving_import_nothing_large() -> None:
    program = (
        "import sys, labreport.cli.commands.watch, labreport.cli.serve\n"
        "print([m for m in ('torch', 'numpy', 'matplotlib', 'weasyprint', 'babel', 'jinja2')"
        " if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.strip() == b"[]"


def test_what_the_page_allows_itself_it_may_do_when_it_is_served() -> None:
    own = "default-src 'none'; style-src 'sha256-a'; script-src 'sha256-b'"
    page = f'<meta http-equiv="Content-Security-Policy" content="{own}">'.encode()
    parts = policy(page, "n").split("; ")
    assert parts[:3] == [
        "default-src 'none'",
        "style-src 'sha256-a'",
        "script-src 'nonce-n' 'sha256-b'",
    ]
    assert "script-src 'nonce-n'" in policy(b"<p>no policy of its own</p>", "n").split("; ")

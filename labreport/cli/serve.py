"""A report shown to the browser of this machine, whose page loads again when the report changes.

The server listens on 127.0.0.1 alone and answers requests that name it so: a page of elsewhere
whose name was turned to this machine gets nothing. It gives out the files that ``report.json``
names, by these names and as they were written, and nothing else. The script that loads a page again
is put in when the page is served; beside it the browser may run what the page's own policy names,
and nothing else.
"""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from labreport.errors import Fault, InputError
from labreport.freshness import read_record
from labreport.runs.files import read_regular

PAGE = "report.html"
"""The page that an address without a name means."""

KINDS = {
    ".html": "text/html; charset=utf-8",
    ".pdf": "application/pdf",
    ".json": "application/json",
    ".csv": "text/csv; charset=utf-8",
}

SCRIPT = """<script nonce="{nonce}">
new EventSource("/changes?from={version}").onmessage = () => location.reload();
</script>
"""

OWN_POLICY = re.compile(rb'<meta http-equiv="Content-Security-Policy" content="([^"]*)">\n?')
"""The policy that the page states itself: its own script and style sheet, and no other. The header
stands in for it, because of two policies both must allow what runs."""

NO_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"

BESIDE = "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def policy(page: bytes, nonce: str) -> str:
    """The page's own policy, which also allows the script with this nonce to ask for changes."""
    found = OWN_POLICY.search(page)
    own = found[1].decode() if found else NO_POLICY
    scripts = f"script-src 'nonce-{nonce}'"
    both = own.replace("script-src", scripts) if "script-src" in own else f"{own}; {scripts}"
    return f"{both}; {BESIDE}"


PAUSE = 10.0
"""Seconds after which a line is sent that means nothing, to find out who is gone."""


class Server(ThreadingHTTPServer):
    """Serves the report in a folder.

    Attributes:
        output: the folder.
    """

    daemon_threads = True
    # A restart must not wait until the system has forgotten the connections of the last one.
    allow_reuse_address = True

    def __init__(self, output: Path, port: int) -> None:
        self.output = output
        self._changed = threading.Condition()
        super().__init__(("127.0.0.1", port), _Handler)

    @property
    def address(self) -> str:
        """The address for a browser to open."""
        return f"http://127.0.0.1:{self.server_port}/"

    @property
    def hosts(self) -> tuple[str, ...]:
        """The host names under which a request may address this server."""
        return (f"127.0.0.1:{self.server_port}", f"localhost:{self.server_port}")

    def files(self) -> tuple[str, ...]:
        """Names of the files that are there to be asked for."""
        found = read_record(self.output)
        return tuple(found.files) if found else ()

    def content(self, name: str) -> bytes:
        """The bytes of a file of the report, as they were written there.

        Raises:
            OSError: if it cannot be read, or is another one by now.
        """
        found, path = read_record(self.output), self.output / name
        content = read_regular(path)
        digests = (found.files.get(name), found.replaced.get(name)) if found else ()
        if path.is_symlink() or sha256(content).hexdigest() not in digests:
            raise FileNotFoundError(name)
        return content

    def version(self) -> str:
        """Return a digest that distinguishes this report from the one before."""
        found = read_record(self.output)
        return sha256(found.content() if found else b"").hexdigest()

    def announce(self) -> None:
        """Notify those who wait, so that they look whether the report has changed."""
        with self._changed:
            self._changed.notify_all()

    def wait(self, version: str) -> bool:
        """Wait for another version, for a pause at most; says whether there is one."""
        with self._changed:
            return self._changed.wait_for(lambda: self.version() != version, PAUSE)

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that goes away is no error."""


class _Handler(BaseHTTPRequestHandler):
    server: Server
    server_version = "labreport"
    sys_version = ""

    def do_GET(self) -> None:
        if self.headers.get("Host") not in self.server.hosts:
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST)
            return
        address = urlsplit(self.path)
        name = address.path.removeprefix("/") or PAGE
        if name == "changes":
            self._send_changes(parse_qs(address.query).get("from", [""])[0])
        elif name in self.server.files():
            self._send_file(name)
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def _send_file(self, name: str) -> None:
        # Before the bytes: of two versions the older one, so that the page is loaded once more.
        version = self.server.version()
        try:
            content = self.server.content(name)
        except OSError:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        nonce = secrets.token_urlsafe(16)
        kind = Path(name).suffix
        if kind == ".html":
            allowed = policy(content, nonce)
            script = SCRIPT.format(nonce=nonce, version=version).encode()
            before, end, after = OWN_POLICY.sub(b"", content, count=1).rpartition(b"</body>")
            content = before + script + end + after
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", KINDS.get(kind, "application/octet-stream"))
        self.send_header("Content-Length", str(len(content)))
        if kind == ".html":
            self.send_header("Content-Security-Policy", allowed)
        self.end_headers()
        self.wfile.write(content)

    def _send_changes(self, version: str) -> None:
        """Server-sent events: one when there is a report of another version than the page's."""
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        while not self.server.wait(version):
            self.wfile.write(b": nothing new\n\n")
        version = self.server.version()
        self.wfile.write(f"data: {version}\n\n".encode())

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """The terminal is for what builds say."""


@contextmanager
def serving(output: Path, port: int = 0) -> Iterator[Server]:
    """Serve the report in a folder meanwhile, from a port that is free or the one given.

    Raises:
        InputError: if the port is not to be had.
    """
    try:
        server = Server(output, port)
    except OSError as error:
        values = {"port": port, "detail": error.strerror or str(error)}
        raise InputError(Fault("port", values)) from None
    with server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()

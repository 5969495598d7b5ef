"""Chromium's RTCPeerConnection as the other end of an ICE session, by a page that it loads from here."""

from __future__ import annotations

import json
import queue
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PATIENCE = 120  # seconds; a browser on a busy machine
_PAGE = Path(__file__).with_name("chromium_peer.html")
_OPTIONS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--allow-loopback-in-peer-connection",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    # Standing credentials are not the browser's own idea of a user name.
    "--force-fieldtrials=WebRTC-NoSdpMangleUfrag/Disabled/",
)


class ChromiumPeer:
    def __init__(self, session: dict[str, Any]) -> None:
        self._session = session
        self._reports: queue.Queue[dict[str, Any]] = queue.Queue()
        self._kept: list[dict[str, Any]] = []
        peer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                page = self.path == "/"
                self._answer(_PAGE.read_bytes() if page else json.dumps(peer._session).encode(), page)

            def do_POST(self) -> None:
                peer._reports.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self._answer(b"{}", False)

            def _answer(self, body: bytes, page: bool) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/html" if page else "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def said(self, kind: str, having: str = "") -> Any:
        """The first report of that kind that has a text in it."""
        while True:
            for report in self._kept:
                assert "error" not in report, report
                if kind in report and having in str(report[kind]):
                    return report[kind]
            self._kept.append(self._reports.get(timeout=PATIENCE))

    def port(self) -> int:
        """Of the browser's socket at this machine's own address."""
        return int(self.said("candidate", " 127.0.0.1 ").split()[5])


@contextmanager
def chromium(*, controlling: bool, local: tuple[str, str], remote: tuple[str, str], port: int) -> Iterator[ChromiumPeer]:
    """`local` and `remote`: user name and password of each end; the other end is at that port of this machine."""
    peer = ChromiumPeer({
        "controlling": controlling, "local": dict(zip(("ufrag", "password"), local, strict=True)),
        "remote": dict(zip(("ufrag", "password"), remote, strict=True)) | {"address": "127.0.0.1", "port": port},
    })
    with tempfile.TemporaryDirectory(prefix="hearthcast-chromium-", ignore_cleanup_errors=True) as profile:
        log = Path(profile, "log")
        with log.open("w") as output:
            browser = subprocess.Popen(
                ["/usr/bin/chromium", *_OPTIONS, f"--user-data-dir={profile}", peer.url],
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        try:
            yield peer
        finally:
            browser.terminate()
            browser.wait(60)
            peer.close()

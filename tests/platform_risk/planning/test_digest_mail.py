"""Digests over a real connection: what a mail server is told, once, and again after it refused."""

import socketserver
import threading
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from django.utils import timezone

from platform_risk import addresses
from platform_risk.core.models import Service, User
from platform_risk.planning import digest
from tests.factories import make_finding

pytestmark = pytest.mark.django_db


class Server(socketserver.ThreadingTCPServer):
    """As much of SMTP (RFC 5321) as one mail takes. `refusals`: how many recipients it refuses for now."""

    allow_reuse_address = daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.mails: list[tuple[list[str], EmailMessage]] = []
        self.refusals = 0


class _Session(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        server: Any = self.server
        recipients: list[str] = []
        self._say("220 ready")
        for line in self.rfile:
            verb = line.split(b" ")[0].strip().upper()
            if verb == b"RCPT" and server.refusals:
                server.refusals -= 1
                self._say("451 not now")
            elif verb == b"RCPT":
                recipients.append(line.decode().split("<")[1].split(">")[0])
                self._say("250 ok")
            elif verb == b"DATA":
                self._say("354 go on")
                text = b"".join(iter(self.rfile.readline, b".\r\n"))
                server.mails.append((recipients, message_from_bytes(text, policy=policy.default)))
                self._say("250 taken")
            elif verb == b"QUIT":
                return self._say("221 bye")
            else:
                self._say("250 ok")
        return None

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@pytest.fixture
def server(settings: Any) -> Iterator[Server]:
    with Server() as found:
        threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        url = f"smtp://127.0.0.1:{found.server_address[1]}"
        host, port, user, password, tls, ssl = addresses.email(url)
        assert (user, password, tls, ssl) == ("", "", False, False)  # nobody listens in between on one machine
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = host, port
        settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = user, password
        settings.EMAIL_USE_TLS, settings.EMAIL_USE_SSL, settings.EMAIL_TIMEOUT = tls, ssl, 5
        settings.DEFAULT_FROM_EMAIL = "risk@example.com"
        settings.PUBLIC_URL = "https://risk.example.com"
        yield found
        found.shutdown()


def test_a_digest_goes_out_once_as_text_and_page_and_says_how_to_stop_it(
    server: Server, checkout: Service, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    noon = timezone.now().replace(hour=12)
    monkeypatch.setattr(timezone, "now", lambda: noon)
    User.objects.filter(pk=alice.pk).update(daily_digest=True)
    make_finding(checkout, title="Ünicode & <b>more</b>", first_seen_at=noon - timedelta(days=1))
    server.refusals = 1
    assert digest.send_all() == 0  # the server wants to be asked again
    assert digest.send_all() == 1
    assert digest.send_all() == 0
    ((recipients, mail),) = server.mails
    assert recipients == ["alice@example.com"]
    assert (mail["From"], mail["To"]) == ("risk@example.com", "alice@example.com")
    assert mail["Subject"] == f"Platform Risk, {noon.date() - timedelta(days=1)}: 1 new"
    assert mail["List-Unsubscribe"] == "<https://risk.example.com/account/>"
    assert "<daily-digest.risk.example.com>" in mail["List-Id"]
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "multipart/alternative"
    plain, page = (mail.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None
    assert page is not None
    assert "Ünicode & <b>more</b>" in plain.get_content()
    assert "Ünicode &amp; &lt;b&gt;more" in page.get_content()
    for each in (plain, page):
        assert "https://risk.example.com/account/" in each.get_content()

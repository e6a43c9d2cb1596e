"""`make run`: everything on one machine, step by step, in the foreground."""

import contextlib
import hashlib
import http.client
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from platform_risk.env import SettingError, unknown_variables
from platform_risk.local import postgres, redis
from platform_risk.local.datafolder import DataFolder
from platform_risk.local.makewatch import MakeWatch
from platform_risk.local.processes import LocalError, kill_group, spawn
from platform_risk.local.supervisor import Child, Supervisor

HOST = "127.0.0.1"
READY_WITHIN = 90.0
ROOT = Path(__file__).resolve().parent.parent.parent


class Up:
    """What is running, so that whatever happens half way can be undone."""

    def __init__(self, settings: ModuleType) -> None:
        self.settings = settings
        self.data = DataFolder(settings.DATA_DIR)
        self.supervisor = Supervisor(self.data.run, interrupted=MakeWatch().was_interrupted)
        self.environment = dict(os.environ)
        # Python's children must not keep their lines to themselves, nor we ours.
        self.environment["PYTHONUNBUFFERED"] = "1"
        self.environment["PLATFORM_RISK_DATA"] = str(settings.DATA_DIR)
        # Only what was started is on the stack, so an error in any step undoes the steps before it, last first.
        self.started = contextlib.ExitStack()

        # The embedded ones, and when one that died may be started again.
        self.servers: dict[str, postgres.Postgres | redis.Redis] = {}
        self.retry_at = 0.0

    def run(self) -> None:
        with self.started:
            # Taken first: without its port there is no point in starting anything.
            listener = self.started.enter_context(_listen(self.settings.PORT))
            self.data.open()
            self.started.callback(self.data.close)
            self.supervisor.listen_for_signals()
            for name in unknown_variables(os.environ):
                self.supervisor.say(f"note: {name} is set, but there is no such setting (docs/settings.md)\n")
            self._start_database()
            self._start_redis()
            if not self.supervisor.asked_to_stop:
                self._prepare()
            self.started.callback(self._stop_children)
            self._start_children(listener)
            self._wait_until_ready(listener.getsockname()[1])
            self._start_demo()
            while not self.supervisor.asked_to_stop:
                self.supervisor.turn(0.25)
                self._revive_servers()
            self.supervisor.say("stopping\n")
        self.supervisor.say("stopped\n")

    @contextlib.contextmanager
    def _step(self, name: str) -> Iterator[list[str]]:
        """One line: the name at once, and what came of it with its duration when it is done."""
        self.supervisor.say(f"{name:<11}… ")
        begun, outcome = time.monotonic(), ["ready"]
        try:
            yield outcome
        except BaseException:
            self.supervisor.say("failed\n")
            raise
        self.supervisor.say(f"{outcome[0]} in {time.monotonic() - begun:.1f} s{''.join(outcome[1:])}\n")

    def _start_database(self) -> None:
        with self._step("database") as outcome:
            if self.settings.DATABASE_URL:
                outcome[:] = ["reached", f" ({postgres.check_server(self.settings.DATABASE_URL)})"]
                return
            server = postgres.Postgres(
                self.data.path / "postgres", run=self.data.run, log=_log(self.data.logs, "postgres")
            )
            self._start_server("PostgreSQL", server)
            self.environment["DATABASE_URL"] = server.url
            self._publish("database-url", server.url)
            outcome.append(f" (PostgreSQL {postgres.VERSION}, embedded)")

    def _start_redis(self) -> None:
        with self._step("redis") as outcome:
            if self.settings.REDIS_URL:
                outcome[:] = ["reached", f" ({redis.check_server(self.settings.REDIS_URL)})"]
                redis.forget(self.settings.REDIS_URL, self.settings.WORKER_SEEN_KEY)
                return
            server = redis.Redis(self.data.path / "redis", run=self.data.run, log=_log(self.data.logs, "redis"))
            self._start_server("Redis", server)
            redis.forget(server.url, self.settings.WORKER_SEEN_KEY)
            self.environment["REDIS_URL"] = server.url
            self._publish("redis-url", server.url)
            outcome.append(f" ({server.program.name}, embedded)")

    def _start_server(self, name: str, server: "postgres.Postgres | redis.Redis") -> None:
        self.started.callback(server.stop)
        server.start()
        self.servers[name] = server

    def _revive_servers(self) -> None:
        """A database killed by hand or by the machine's memory guard comes back at the same address."""
        for name, server in self.servers.items():
            if server.is_running() or time.monotonic() < self.retry_at:
                continue
            self.supervisor.say(f"{name} ended: starting it again\n")
            try:
                server.start()
                self.supervisor.say(f"{name} is back\n")
            except LocalError as error:
                self.supervisor.say(f"{error}; trying again in 5 s\n")
                self.retry_at = time.monotonic() + 5

    def _publish(self, name: str, address: str) -> None:
        self.started.callback(self.data.withdraw, name)
        self.data.publish(name, address)

    def _prepare(self) -> None:
        """Migrations, static files, the first admin: in a process of its own, since this one knows no Django."""
        process = spawn([sys.executable, "manage.py", "prepare"], folder=ROOT, environment=self.environment)
        try:
            while process.poll() is None:
                if self.supervisor.asked_to_stop:
                    process.terminate()  # PostgreSQL rolls back the migration it is in
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(0.2)
        finally:
            kill_group(process.pid)
        if process.returncode != 0 and not self.supervisor.asked_to_stop:
            raise LocalError("could not prepare the database: the reason is above")

    def _start_children(self, listener: socket.socket) -> None:
        for child in children(self.settings, self.environment, self.data, listener):
            if not self.supervisor.asked_to_stop:
                self.supervisor.start(child)

    def _stop_children(self) -> None:
        self.supervisor.stop()

    def _wait_until_ready(self, port: int) -> None:
        begun, reasons = time.monotonic(), "no answer yet"
        next_look = begun
        while not self.supervisor.asked_to_stop:
            self.supervisor.turn(0.1)
            if time.monotonic() < next_look:
                continue
            next_look = time.monotonic() + 0.2
            status, reasons = _ask(port)
            if status == 200:
                self.supervisor.say(f"web and worker ready in {time.monotonic() - begun:.1f} s\n")
                self.data.publish("web-url", f"http://{HOST}:{port}")
                self.started.callback(self.data.withdraw, "web-url")
                password = self.data.path / "admin-password"
                if password.exists():
                    self.supervisor.say(f"sign in as admin with the password in {password}\n")
                self.supervisor.say(f"ready http://{HOST}:{port}\n")
                return
            if time.monotonic() - begun > READY_WITHIN:
                raise LocalError(f"not ready after {READY_WITHIN:.0f} s: {reasons}: see the lines above for the reason")

    def _start_demo(self) -> None:
        wanted = self.data.path / "demo-wanted"
        if not wanted.exists() or self.supervisor.asked_to_stop:
            return

        def done(code: int) -> None:
            if code == 0:
                wanted.rename(self.data.path / "demo-done")
                return
            self.supervisor.say("the demo is incomplete: the next start tries again\n")

        command = [sys.executable, str(ROOT / "manage.py"), "demo"]
        self.supervisor.start(Child("demo", command, self.environment, ((signal.SIGTERM, 5.0),), once=done))


def children(
    settings: ModuleType, environment: dict[str, str], data: DataFolder, listener: socket.socket
) -> list[Child]:
    """The processes that docker-compose.yml has too, with the same commands but for where they listen and write."""
    python = [sys.executable, "-m"]
    # Part of the command lines, so that two installations on one machine can be told apart.
    place = hashlib.sha256(os.fsencode(data.path)).hexdigest()[:8]
    web = [*python, "gunicorn", "platform_risk.wsgi", "--bind", f"fd://{listener.fileno()}", "--name", f"web-{place}"]
    web += ["--worker-class", "gthread", "--workers", str(settings.WEB_PROCESSES), "--preload"]
    web += ["--threads", str(settings.WEB_THREADS), "--timeout", "120", "--graceful-timeout", "10"]
    web += ["--no-control-socket", "--log-level", "warning", "--chdir", str(ROOT)]
    celery = [*python, "celery", "--app", "platform_risk.celery", "--workdir", str(ROOT), "--quiet"]
    worker = [*celery, "worker", "--concurrency", str(settings.WORKER_PROCESSES), "--hostname", f"worker-{place}@%h"]
    worker += ["--without-gossip", "--without-mingle"]
    beat = [
        *celery,
        "beat",
        "--scheduler",
        "celery.beat:Scheduler",
        "--pidfile",
        "",
    ]  # all intervals are short: no file to keep
    return [
        Child("worker", worker, environment, ((signal.SIGTERM, 15.0), (signal.SIGQUIT, 5.0))),
        Child("web", web, environment, ((signal.SIGTERM, 12.0),), pass_fds=[listener.fileno()]),
        Child("beat", beat, environment, ((signal.SIGTERM, 5.0),)),
    ]


@contextlib.contextmanager
def _listen(port: int) -> Iterator[socket.socket]:
    """Bound here and handed to the web server: so 0 can be any free port, a taken one is known before anything is
    started, and requests made while the web server restarts wait instead of failing."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        reason = "is taken" if not isinstance(error, PermissionError) else "needs more rights"
        raise LocalError(
            f"port {port} {reason}: stop what uses it, or choose another: PORT=8001 make run (0 takes any free one)"
        ) from error
    with listener:
        yield listener


def _ask(port: int) -> tuple[int, str]:
    connection = http.client.HTTPConnection(HOST, port, timeout=3)
    try:
        connection.request("GET", "/readyz", headers={"Host": "127.0.0.1"})
        answer = connection.getresponse()
        body = answer.read(10_000).decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return 0, "the web server does not answer"
    finally:
        connection.close()
    with contextlib.suppress(ValueError, AttributeError):
        body = ", ".join(f"{part}: {state}" for part, state in json.loads(body).items() if state != "ok")
    return answer.status, body


def _log(folder: Path, name: str) -> Path:
    """Servers append to their logs; one grown large is put aside at a start, and the one before that goes."""
    path = folder / f"{name}.log"
    if path.exists() and path.stat().st_size > 10 * 1000**2:
        path.replace(path.with_suffix(".log.1"))
    return path


def main() -> int:
    try:
        settings = importlib.import_module("platform_risk.settings")
        Up(settings).run()
    except (LocalError, SettingError) as error:
        sys.stderr.write(f"platform-risk: {error}\n")
        return 1
    except KeyboardInterrupt:  # before we listen for signals
        return 130
    return 0

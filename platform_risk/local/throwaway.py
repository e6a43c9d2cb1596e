"""Servers for one command: `python -m platform_risk.local.throwaway [--durable] COMMAND…` (tests and benchmarks).

Starts PostgreSQL and Redis in a temporary folder unless DATABASE_URL or REDIS_URL name others, runs the command with
their addresses in its environment, and takes everything away again.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import MutableMapping
from pathlib import Path

from platform_risk.local.postgres import Postgres
from platform_risk.local.processes import LocalError
from platform_risk.local.redis import Redis


class ThrowawayServers:
    """`durable` keeps fsync on, as an installation has it: benchmarks must pay for it, tests need not."""

    def __init__(self, *, durable: bool = False) -> None:
        self.forgetful = not durable
        # Resolved: macOS' folder for temporary files is a link, and paths are compared in tests.
        self.folder = Path(tempfile.mkdtemp(prefix="platform-risk-")).resolve()
        # PostgreSQL does not run as root, so under root another account has to get through to its folder.
        self.folder.chmod(0o711)
        self._running = contextlib.ExitStack()
        self._running.callback(shutil.rmtree, self.folder, ignore_errors=True)

    def start(self, environ: MutableMapping[str, str]) -> None:
        """Start what the environment does not name, and name it there."""
        data = self.folder / "data"
        (data / "static").mkdir(parents=True)  # whitenoise warns of a folder that is missing
        environ["PLATFORM_RISK_DATA"] = str(data)
        if not environ.get("DATABASE_URL"):
            postgres = Postgres(
                self.folder / "postgres",
                run=self.folder,
                log=self.folder / "postgres.log",
                forgetful=self.forgetful,
            )
            self._running.callback(postgres.stop)
            postgres.start()
            environ["DATABASE_URL"] = postgres.url
        if not environ.get("REDIS_URL"):
            redis = Redis(
                self.folder / "redis", run=self.folder, log=self.folder / "redis.log", forgetful=self.forgetful
            )
            self._running.callback(redis.stop)
            redis.start()
            environ["REDIS_URL"] = redis.url

    def stop(self) -> None:
        self._running.close()


def main(arguments: list[str]) -> int:
    durable = arguments[:1] == ["--durable"]
    command = arguments[1:] if durable else arguments
    if not command:
        sys.stderr.write("platform-risk: name a command to run with the servers\n")
        return 2
    environ = dict(os.environ)
    servers = ThrowawayServers(durable=durable)
    try:
        servers.start(environ)
        return subprocess.run(command, env=environ, check=False).returncode  # noqa: S603  the caller's own command
    except LocalError as error:
        sys.stderr.write(f"platform-risk: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        servers.stop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

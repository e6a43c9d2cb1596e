"""How many pods run, and how many processes and threads start in each: by autoscaler, command line, environment and
Dockerfile. PURE."""

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from findings.platform.model import Container, Platform, Workload, all_once, once
from findings.platform.nodes import find, items
from findings.platform.units import stated_count
from findings.platform.yaml_reader import Map
from platform_risk.quantities.records import record
from platform_risk.quantities.sourced import Place, Source, Sourced, Unknown

_VARIABLE = re.compile(r"\$\(([A-Za-z_]\w*)\)|\$\{([A-Za-z_]\w*)(?::?-([^}]*))?\}|\$([A-Za-z_]\w*)")
_ONE = "no process manager is stated: one process per pod"
_JVM = re.compile(r"-XX:ActiveProcessorCount=([0-9]+)")


@dataclass(frozen=True)
class Manager:
    """A program that starts several processes of an application."""

    options: tuple[str, ...]
    variables: tuple[str, ...]
    default: int | None  # None: one per CPU of the node


_MANAGERS = {
    "gunicorn": Manager(("-w", "--workers"), ("WEB_CONCURRENCY", "GUNICORN_WORKERS"), 1),
    "uvicorn": Manager(("--workers",), ("WEB_CONCURRENCY", "UVICORN_WORKERS"), 1),
    "hypercorn": Manager(("-w", "--workers"), ("WEB_CONCURRENCY",), 1),
    "granian": Manager(("--workers",), ("GRANIAN_WORKERS",), 1),
    "uwsgi": Manager(("-p", "--processes", "--workers"), ("UWSGI_PROCESSES", "UWSGI_WORKERS"), 1),
    "celery": Manager(
        ("-c", "--concurrency"),
        ("CELERY_WORKERS", "CELERY_CONCURRENCY", "CELERYD_CONCURRENCY", "CELERY_WORKER_CONCURRENCY"),
        None,
    ),
}
_PROCESSES = tuple(dict.fromkeys(name for each in _MANAGERS.values() for name in each.variables))
_THREADS = (
    "WORKER_THREADS", "NUM_THREADS", "NUM_WORKERS", "THREAD_POOL_SIZE", "MAX_THREADS", "KAFKA_CONSUMER_THREADS",
    "OMP_NUM_THREADS", "RAYON_NUM_THREADS", "TOKIO_WORKER_THREADS",
)  # fmt: skip


@record(frozen=True)
class Started:
    """What a container runs: words of its command line and its environment, those of its Dockerfile included."""

    words: tuple[str, ...]
    env: Mapping[str, Sourced[str]]
    place: Place

    def number(self, *names: str) -> Sourced[int] | None:
        """The first of these variables that is a whole number above zero."""
        for name in names:
            found = stated_count(self.env.get(name))
            if found is not None and found.value > 0:
                return found
        return None

    def option(self, *names: str) -> Sourced[int] | None:
        """The number behind an option: `-w 4`, `-w4`, `--workers=4`."""
        for position, word in enumerate(self.words):
            for name in names:
                text = _behind(self.words, position, word, name)
                found = stated_count(Sourced(text, Source.FILE, self.place)) if text else None
                if found is not None and found.value > 0:
                    return found
        return None


def _behind(words: tuple[str, ...], position: int, word: str, name: str) -> str:
    if word == name:
        return words[position + 1] if position + 1 < len(words) else ""
    if word.startswith(f"{name}="):
        return word[len(name) + 1 :]
    is_short = len(name) == 2 and not name.startswith("--")
    return word[2:] if is_short and word.startswith(name) and word[2:].isdigit() else ""


def started(platform: Platform, workload: Workload, container: Container) -> Started:
    known = _known(platform)
    if (workload, container) not in known:
        known[workload, container] = _started(platform, workload, container)
    return known[workload, container]


@once
def _known(_: Platform) -> dict[tuple[Workload, Container], Started]:
    """What was worked out before: four checks ask for the same containers."""
    return {}


def _started(platform: Platform, workload: Workload, container: Container) -> Started:
    built = _dockerfile(platform, workload, container)
    env: dict[str, Sourced[str]] = {}
    words = [str(word) for word in items(container.node, "command")]
    arguments = [str(word) for word in items(container.node, "args")]
    place = workload.resource.place(container.node.lines.get("args") or container.node.lines.get("command"))
    if built is not None:
        root, path = built
        inner = find(root, "env")
        if inner is not None and isinstance(inner[0], Map):
            for name, value in inner[0].items():
                env[name] = Sourced(str(value), Source.FILE, Place(path, inner[0].lines.get(name)))
        if not words:
            if not arguments:
                arguments = [str(word) for word in items(root, "cmd")]
                place = Place(path, root.lines.get("cmd") or root.lines.get("entrypoint"))
            words = [str(word) for word in items(root, "entrypoint")]
    env |= {name: each.value for name, each in container.env.items() if each.value is not None}
    return Started(tuple(_split([*words, *arguments], env)), env, place)


def _dockerfile(platform: Platform, workload: Workload, container: Container) -> tuple[Map, str] | None:
    """What a compose service says that it is built from; else the only one there is, or the one in a folder named as
    the image, the workload or the container."""
    found = _dockerfiles(platform)
    built_from = container.node.get("dockerfile") if workload.is_compose else None
    if built_from:
        return next((each for each in found if each[1] == built_from), None)
    if len(found) == 1 and not workload.is_compose:
        return found[0]
    image = container.image.value if container.image else ""
    names = {image.rpartition("/")[2].partition(":")[0], workload.resource.name, container.name} - {""}
    fitting = [each for each in found if names & set(each[1].split("/")[:-1])]
    return fitting[0] if len(fitting) == 1 else None


@all_once
def _dockerfiles(platform: Platform) -> Iterator[tuple[Map, str]]:
    for each in platform.configs:
        if each.resource is not None or each.path.endswith((".yaml", ".yml", ".json", ".toml")):
            continue
        if isinstance(each.root, Map) and {"from", "env"} <= each.root.keys():
            yield each.root, each.path


def _split(words: list[str], env: Mapping[str, Sourced[str]]) -> Iterator[str]:
    """Words with variables put in, and a shell's script (`sh -c "exec gunicorn …"`) split into its own."""

    def value(found: re.Match[str]) -> str:
        name = found[1] or found[2] or found[4]
        return env[name].value if name in env else found[3] or found[0]

    for word in words:
        text = _VARIABLE.sub(value, word)
        if " " not in text:
            yield text
            continue
        try:
            yield from shlex.split(text)
        except ValueError:
            yield from text.split()


def max_pods(platform: Platform, workload: Workload) -> Sourced[int] | Unknown:
    """The most pods of a workload: its autoscaler's maximum, a declared one, else its replicas."""
    scaler = platform.autoscaler_of(workload)
    if scaler is not None:
        return scaler.maximum
    declared = stated_count(platform.facts.get(f"services.{workload.resource.name}.max_pods"))
    if declared is None and workload.resource.kind == "DaemonSet":
        declared = stated_count(platform.facts.get("nodes"))  # one pod on each
    return declared or workload.replicas


def processes(platform: Platform, workload: Workload, container: Container) -> Sourced[int] | Unknown:
    """Processes of the application in one pod."""
    known = _counted(platform)
    if (workload, container) not in known:
        known[workload, container] = _processes(platform, workload, container)
    return known[workload, container]


@once
def _counted(_: Platform) -> dict[tuple[Workload, Container], Sourced[int] | Unknown]:
    """As above."""
    return {}


def _processes(platform: Platform, workload: Workload, container: Container) -> Sourced[int] | Unknown:
    stated = platform.facts.number(f"services.{workload.resource.name}.processes")
    if stated is not None:
        return stated.map(int)
    run = started(platform, workload, container)
    names = [word.rpartition("/")[2] for word in run.words]
    manager = next((name for name in names if name in _MANAGERS), "")
    if not manager:
        return run.number(*_PROCESSES, "WORKER_PROCESSES") or Sourced(1, Source.ASSUMPTION, run.place, _ONE)
    if manager == "celery" and _is_single(run):
        return Sourced(1, Source.FILE, run.place, "celery: a pool of threads or a single one is one process")
    how = _MANAGERS[manager]
    options = how.options if manager != "celery" or "beat" not in names else ()
    found = run.option(*options) or _from_arguments(run, manager) or run.number(*how.variables)
    if found is None and manager == "gunicorn":
        found = _configured(platform, workload)
    if found is not None:
        return found
    if how.default is not None:
        return Sourced(how.default, Source.PROVIDER_DEFAULT, run.place, f"{manager}: one worker unless told otherwise")
    if "beat" in names:
        return Sourced(1, Source.FILE, run.place, "celery beat is one process")
    return Unknown(
        "a celery worker without --concurrency starts one process per CPU of its node",
        f"--concurrency on the command line, or facts: services.{workload.resource.name}.processes",
        run.place,
    )


def _is_single(run: Started) -> bool:
    joined = " ".join(run.words)
    return bool(re.search(r"(?:--pool[= ]|-P ?)(?:solo|threads|gevent|eventlet)", joined))


def _from_arguments(run: Started, manager: str) -> Sourced[int] | None:
    """GUNICORN_CMD_ARGS holds options as the command line would."""
    stated = run.env.get("GUNICORN_CMD_ARGS")
    if manager != "gunicorn" or stated is None:
        return None
    return Started(tuple(stated.value.split()), {}, stated.place).option("-w", "--workers")


def _configured(platform: Platform, workload: Workload) -> Sourced[int] | None:
    """`workers = 4` in the only gunicorn.conf.py."""
    found = [
        each.value
        for each in platform.settings_like("workers")
        if each.key == "workers" and re.search(r"gunicorn[\w.-]*\.py\Z", each.scope)
    ]
    return stated_count(found[0]) if len(found) == 1 else None


def threads(platform: Platform, workload: Workload, container: Container) -> Sourced[int] | None:
    """Threads that can want a CPU at once in one container, where anything states them."""
    stated = platform.facts.number(f"services.{workload.resource.name}.threads")
    if stated is not None:
        return stated.map(int)
    run = started(platform, workload, container)
    capped = run.number("GOMAXPROCS") or _jvm(run)
    if capped is not None:
        return capped
    counted = processes(platform, workload, container)
    each = run.option("--threads") or run.number("GUNICORN_THREADS") or run.number(*_THREADS)
    if isinstance(counted, Unknown) or counted.source is Source.ASSUMPTION:
        return each
    if each is None:
        return None if counted.source is Source.PROVIDER_DEFAULT else counted
    note = f"{counted.value} processes × {each.value} threads"
    return Sourced(counted.value * each.value, each.source, each.place, note)


def _jvm(run: Started) -> Sourced[int] | None:
    for word in run.words:
        found = _JVM.match(word)
        if found:
            return Sourced(int(found[1]), Source.FILE, run.place)
    for name in ("JAVA_OPTS", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS"):
        stated = run.env.get(name)
        found = _JVM.search(stated.value) if stated is not None else None
        if stated is not None and found:
            return Sourced(int(found[1]), Source.FILE, stated.place)
    return None

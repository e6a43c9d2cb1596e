"""Settings and calls that Python source states literally, read with `ast` and never run. PURE."""

import ast
import re
from collections.abc import Iterator, Mapping
from sys import version_info
from typing import Any

from findings.platform.model import Call, Setting
from platform_risk.quantities.sourced import Place, Source, Sourced

_DJANGOS = ("DATABASES", "CACHES")
_CLIENTS = ("requests", "httpx", "urllib.request")
_HIDDEN = ("requests", "httpx")  # modules whose name may as well be that of a variable: what a container requests
# Told by the text first: a tree is walked only where there may be something to find.
_NAMES_OF_CLIENTS = (*_HIDDEN, "urllib")
_MAY_HIDE = re.compile(r"\b(?:requests|httpx)[ \t]*(?:[,:)]|=[^=]|in\b)")
_IMPORTS = re.compile(r"import|lazy", re.IGNORECASE)  # what makes a module of its name
_LEAVES = frozenset({ast.Name, ast.Constant, ast.Load, ast.Store, ast.Del, ast.alias, ast.Pass})
_SESSIONS = ("requests.Session", "requests.session")
_TAKE_DICTS = ("Producer", "Consumer", "SerializingProducer", "DeserializingConsumer")  # of Confluent's library


def read(text: str, path: str) -> tuple[list[Setting], list[Call]] | str:
    """(settings, calls); a text that says why it cannot be read. Settings are assignments of literals, with or without
    an annotation: `num_workers: int = 4` in a class is its default."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None)
        return f"not Python {version_info.major}.{version_info.minor}{f', line {line}' if line else ''}"
    settings: list[Setting] = []
    calls: list[Call] = []
    has_client = any(each in text for each in _NAMES_OF_CLIENTS)
    known = _imported(tree) if has_client else {}
    hiding = _hiding(tree) if has_client and _MAY_HIDE.search(text) else {}
    sessions = _sessions(tree, known) if "requests" in text and "ession" in text else frozenset()
    targets: dict[int, str] = {}  # of calls: what their result is called
    pending: list[tuple[ast.AST, str, frozenset[str]]] = [(tree, "", frozenset())]
    while pending:
        node, prefix, hidden = pending.pop()
        hidden = hidden | hiding.get(id(node), frozenset())
        if isinstance(node, ast.Call):
            name = _called(node.func, known)
            holder, _, method = name.rpartition(".")
            if holder in sessions and holder not in hidden:
                name = f"requests.{method}"
            if name and name.partition(".")[0] not in hidden:
                calls.append(_call(name, node, path, prefix.rstrip("."), targets.get(id(node), "")))
                if name.rpartition(".")[2] in _TAKE_DICTS and node.args and isinstance(node.args[0], ast.Dict):
                    settings += _of_dict(node.args[0], name, path)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            settings += _assigned(node, prefix, path)
            if isinstance(node.value, ast.Call):
                targets[id(node.value)] = _dotted(node.target if isinstance(node, ast.AnnAssign) else node.targets[0])
        elif sessions and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            hidden |= sessions.intersection(_given(node))
        inner = f"{prefix}{node.name}." if isinstance(node, ast.ClassDef) else prefix
        pending += [(child, inner, hidden) for child in _children(node)]
    settings.sort(key=lambda each: each.value.place.line or 0)
    calls.sort(key=lambda each: each.place.line or 0)
    return settings, calls


def _children(node: ast.AST) -> Iterator[ast.AST]:
    """What may hold a call, a class or an assignment: most nodes of a tree are names and constants, and hold none."""
    for field in node._fields:
        value = getattr(node, field, None)
        if isinstance(value, list):
            yield from (each for each in value if isinstance(each, ast.AST) and type(each) not in _LEAVES)
        elif isinstance(value, ast.AST) and type(value) not in _LEAVES:
            yield value


def _imported(tree: ast.AST) -> dict[str, str]:
    """Names by which a file knows clients of HTTP and what is in them: rq → requests, get → requests.get."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {each.asname: each.name for each in node.names if each.asname and each.name in _CLIENTS}
        elif isinstance(node, ast.ImportFrom) and node.module in _CLIENTS and not node.level:
            found |= {each.asname or each.name: f"{node.module}.{each.name}" for each in node.names}
        elif isinstance(node, ast.ImportFrom) and "vendor" not in (node.module or ""):
            # A module of one's own that is called so: it may well set the deadline.
            found |= {name: f".{name}" for each in node.names if (name := each.asname or each.name) in _HIDDEN}
    return found


def _hiding(tree: ast.AST) -> dict[int, frozenset[str]]:
    """Names of modules that are those of variables, by the function, or the module, that has them: not where it imports
    them too, in whatever way."""
    bound: set[tuple[int, str]] = set()
    imported: set[tuple[int, str]] = set()
    pending: list[tuple[ast.AST, int]] = [(tree, id(tree))]
    while pending:
        node, scope = pending.pop()
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            bound.add((scope, node.id))
        elif isinstance(node, ast.arg):
            bound.add((scope, node.arg))
        elif isinstance(node, ast.alias):
            imported.add((scope, node.asname or node.name))
        elif isinstance(node, ast.Assign) and _loads(node.value):
            imported |= {(scope, _dotted(each)) for each in node.targets}
        inner = id(node) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) else scope
        pending += [(child, inner) for child in ast.iter_child_nodes(node)]
    found: dict[int, frozenset[str]] = {}
    for scope, name in bound - imported:
        if name in _HIDDEN:
            found[scope] = found.get(scope, frozenset()) | {name}
    return found


def _loads(node: ast.AST) -> bool:
    """`requests = LazyImport("requests")`, and not `resources.get("requests")`."""
    if not isinstance(node, ast.Call) or not _IMPORTS.search(_dotted(node.func)):
        return False
    return any(isinstance(each, ast.Constant) and each.value in _HIDDEN for each in node.args)


def _called(node: ast.expr, known: Mapping[str, str]) -> str:
    """The dotted name of what is called, by the name that its module has outside the file."""
    name, root = _dotted(node), node
    while isinstance(root, ast.Attribute):
        root = root.value
    if not known or not isinstance(root, ast.Name) or root.id not in known:
        return name
    return known[root.id] + name.removeprefix(root.id)


def _sessions(tree: ast.AST, known: Mapping[str, str]) -> frozenset[str]:
    """Names that hold a session of requests. One with an adapter or a `request` of its own may have its deadline from
    there, and so may an attribute that is also given what is made elsewhere."""
    found: set[str] = set()
    given: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            made: list[tuple[ast.AST | None, ast.AST | None]] = [(node.value, each) for each in targets]
        elif isinstance(node, ast.With | ast.AsyncWith):
            made = [(each.context_expr, each.optional_vars) for each in node.items]
        else:
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "mount":
                given.add(_dotted(node.func.value))
            continue
        for value, target in made:
            name = _dotted(target) if target is not None else ""
            if isinstance(value, ast.Call) and _called(value.func, known) in _SESSIONS:
                found.add(name)
            elif name.endswith(".request"):  # session.request = partial(session.request, timeout=5)
                given.add(name.removesuffix(".request"))
            elif "." in name and isinstance(value, ast.Call):
                given.add(name)
    return frozenset(found - {""} - given)


def _given(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    """Names of what a function is handed: made elsewhere, whatever else in the file is called so."""
    return (each.arg for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs))


def _dotted(node: ast.AST) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name):
        parts.append(node.id)
        return ".".join(reversed(parts))
    return parts[0] if parts else ""


def _literal(node: ast.AST | None) -> Any:
    """A literal, or a product or sum of literals (`5 * 60`). Raises ValueError for anything else."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Add):
        left, right = _literal(node.left), _literal(node.right)
        if all(
            isinstance(each, int | float) and not isinstance(each, bool) and abs(each) < 1e15 for each in (left, right)
        ):
            return left * right if isinstance(node.op, ast.Mult) else left + right
        raise ValueError
    if node is None:
        raise ValueError
    value = ast.literal_eval(node)
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise ValueError


def _call(name: str, node: ast.Call, path: str, owner: str, target: str) -> Call:
    arguments: dict[str, Sourced[Any]] = {}
    for number, argument in enumerate(node.args):
        _put(arguments, str(number), argument, path)
    for keyword in node.keywords:
        if keyword.arg:
            _put(arguments, keyword.arg, keyword.value, path)
    stated = [*(str(number) for number in range(len(node.args))), *(each.arg or "**" for each in node.keywords)]
    computed = tuple(each for each in stated if each not in arguments)
    return Call(name, arguments, Place(path, node.lineno), computed, owner, target)


def _put(into: dict[str, Sourced[Any]], name: str, node: ast.expr, path: str) -> None:
    try:
        into[name] = Sourced(_literal(node), Source.FILE, Place(path, node.lineno))
    except (ValueError, TypeError, RecursionError, MemoryError):
        return


def _assigned(node: ast.Assign | ast.AnnAssign, prefix: str, path: str) -> Iterator[Setting]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    value = node.value
    if isinstance(value, ast.Call) and _dotted(value.func).rpartition(".")[2] in ("field", "Field"):
        # dataclasses and pydantic: field(default=4), Field(4)
        value = next(
            (each.value for each in value.keywords if each.arg == "default"), value.args[0] if value.args else None
        )
    if value is None and isinstance(node, ast.AnnAssign):
        # `WORKER_THREADS: "7"` is a line of YAML that somebody pasted: what looks like a type is the value.
        value = node.annotation if isinstance(node.annotation, ast.Constant) else None
    if isinstance(value, ast.Dict):
        for target in targets:
            name = _dotted(target)
            if name in _DJANGOS or (name and _is_of_client(value)):
                yield from _of_dict(value, f"{prefix}{name}", path)
        return
    try:
        literal = _literal(value)
    except (ValueError, TypeError, RecursionError, MemoryError):
        return
    for target in targets:
        name = _dotted(target)
        if name:
            yield Setting(f"{prefix}{name}", Sourced(literal, Source.FILE, Place(path, node.lineno)), path)


_MOST_DEPTH = 6


def _is_of_client(node: ast.Dict) -> bool:
    """Whether it is spelled as options of a client are (bootstrap.servers): any other dict may be anything."""
    return any(isinstance(key, ast.Constant) and "." in str(key.value)[1:-1] for key in node.keys)


def _of_dict(node: ast.Dict, prefix: str, path: str, depth: int = 0) -> Iterator[Setting]:
    """Literals of a dict that is given a name: `conf = {"acks": "1"}`, `DATABASES = {"default": {…}}`."""
    for key, value in zip(node.keys, node.values, strict=True):
        if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
            continue
        name = f"{prefix}.{key.value}"
        if isinstance(value, ast.Dict):
            if depth < _MOST_DEPTH:
                yield from _of_dict(value, name, path, depth + 1)
            continue
        try:
            literal = _literal(value)
        except (ValueError, TypeError, RecursionError, MemoryError):
            continue
        yield Setting(name, Sourced(literal, Source.FILE, Place(path, value.lineno)), path)

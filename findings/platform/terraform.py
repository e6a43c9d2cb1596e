"""Terraform: HCL, its JSON form, and plans as JSON, into blocks. PURE.

A folder is one module. A module that another calls is read once per call, with the call's arguments; what only
`terraform plan` knows is Unknown with the reason. A plan (`terraform show -json`) states every value itself.
"""

import posixpath
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tree_sitter import Node

from findings.platform import hcl
from findings.platform.attributes import Attributes
from findings.platform.files import Skipped
from findings.platform.hcl import AFTER_APPLY, Raw, Scope
from findings.platform.hcl_functions import PLAN, Cannot
from findings.platform.model import Block, Platform, once
from findings.platform.nodes import find, items, mapping
from findings.platform.yaml_reader import TEMPLATE, Map, Seq
from platform_risk.quantities.sourced import Place, Sourced, Unknown

MOST_DEPTH = 50
MOST_CALLS = 8  # modules within modules
MOST_INSTANCES = 200  # of one for_each
MOST_BLOCKS = 30_000  # once modules and dynamic blocks are written out
_MOST_ERRORS = 5  # named per file
_LABELS = {"resource": 2, "data": 2, "module": 1, "variable": 1, "output": 1, "provider": 1}  # of the JSON form


@dataclass
class Parsed:
    """One file: its blocks, the attributes outside any block, and what could not be read."""

    path: str
    blocks: list[Raw] = field(default_factory=list)
    loose: dict[str, tuple[Any, int]] = field(default_factory=dict)
    skipped: list[Skipped] = field(default_factory=list)

    @property
    def folder(self) -> str:
        return posixpath.dirname(self.path)


def parse(text: str, path: str) -> Parsed:
    """A .tf or .tfvars file. A syntax error is named with its line; everything outside it is used."""
    parsed = Parsed(path)
    try:
        root = hcl.parse(text)
    except ValueError:
        parsed.skipped.append(Skipped(path, "not valid HCL, and too far from it to tell where", 1))
        return parsed
    if _is_template(root, text):
        parsed.skipped.append(Skipped(path, TEMPLATE))
        return parsed
    lines = dict.fromkeys(hcl.error_lines(root)) if root.has_error else {}
    parsed.skipped += [Skipped(path, "not valid HCL", line) for line in list(lines)[:_MOST_ERRORS]]
    for node in root.children:
        if node.type == "body":
            try:
                parsed.loose, parsed.blocks = _body(node, path, 0)
            except Cannot as error:
                parsed.skipped.append(Skipped(path, error.reason, 1))
    return parsed


# Within the quotes of a value it may be meant for Datadog or Alertmanager.
_MARK = re.compile(r"\{[{%]")
_STATEMENT = re.compile(r"^[ \t]*\{%", re.MULTILINE)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*+"?')


def _is_template(root: Node, text: str) -> bool:
    """Whether something else makes Terraform of it first: what it marks stands in a block's label, or is no HCL."""
    if not _MARK.search(text):
        return False
    blocks = [each for node in root.children if node.type == "body" for each in node.named_children]
    labels = (hcl.label(each) for block in blocks if block.type == "block" for each in block.named_children[1:3])
    if any(_MARK.search(label) for label in labels):
        return True
    if not root.has_error:
        return False
    lines = text.split("\n")
    broken = {lines[line - 1] for line in hcl.error_lines(root) if line <= len(lines)}
    return _STATEMENT.search(text) is not None or any(_MARK.search(_QUOTED.sub("", line)) for line in broken)


def _body(body: Node, path: str, depth: int) -> tuple[dict[str, tuple[Any, int]], list[Raw]]:
    if depth > MOST_DEPTH:
        raise Cannot(f"blocks nested deeper than {MOST_DEPTH}")
    attributes: dict[str, tuple[Any, int]] = {}
    blocks: list[Raw] = []
    last, ended = "", -1
    for node in body.named_children:
        if node.type == "attribute":
            name, expression = hcl.attribute(node)
            if ended == node.start_point[0] and attributes:
                # The grammar reads 1e3 as two attributes: what shares a line with the one before it is neither.
                attributes[last] = (hcl.Exact(Unknown("not readable as HCL", PLAN)), attributes[last][1])
            elif name:
                last = name
                attributes[name] = (expression, node.start_point[0] + 1)
            ended = node.end_point[0]
        elif node.type == "block":
            words = [hcl.label(each) for each in node.named_children if each.type in ("identifier", "string_lit")]
            inner = next((each for each in node.named_children if each.type == "body"), None)
            held = _body(inner, path, depth + 1) if inner is not None else ({}, [])
            blocks.append(Raw(words[0], tuple(words[1:]), *held, path, node.start_point[0] + 1))
    return attributes, blocks


def of_json(root: Map, path: str) -> Parsed:
    """A .tf.json or .tfvars.json file."""
    parsed = Parsed(path)
    if path.endswith(".tfvars.json"):
        parsed.loose = {name: (value, root.lines[name]) for name, value in root.items()}
        return parsed
    for type_, value in root.items():
        for each in value if isinstance(value, Seq) else [value]:
            if isinstance(each, Map):
                line = root.lines[type_]
                parsed.blocks += _json_blocks(type_, (), each, path, line, _LABELS.get(type_, 0))
    return parsed


def _json_blocks(type_: str, labels: tuple[str, ...], node: Map, path: str, line: int, missing: int) -> Iterator[Raw]:
    if missing:
        for name, value in node.items():
            for each in value if isinstance(value, Seq) else [value]:
                if isinstance(each, Map):
                    yield from _json_blocks(type_, (*labels, name), each, path, node.lines[name], missing - 1)
        return
    attributes = {name: (value, node.lines[name]) for name, value in node.items()}
    blocks = [inner for name, value in node.items() for inner in _json_inner(name, value, path, node.lines[name], 0)]
    yield Raw(type_, labels, attributes, blocks, path, line)


def _json_inner(name: str, value: Any, path: str, line: int, depth: int) -> Iterator[Raw]:
    """JSON does not tell a nested block from an attribute that is an object: it is both."""
    for each in value if isinstance(value, Seq) else [value]:
        if isinstance(each, Map) and depth < MOST_DEPTH:
            attributes = {key: (held, each.lines[key]) for key, held in each.items()}
            below = [
                raw for key, held in each.items() for raw in _json_inner(key, held, path, each.lines[key], depth + 1)
            ]
            yield Raw(name, (), attributes, below, path, each.line or line)


def blocks(files: Iterable[Parsed]) -> tuple[list[Block], list[Skipped]]:
    """Every block of every module, each module's resources once per call of it, up to a bound."""
    folders: dict[str, list[Parsed]] = {}
    for parsed in sorted(files, key=lambda each: each.path):
        folders.setdefault(parsed.folder, []).append(parsed)
    modules = {folder: _Module(folder, held) for folder, held in folders.items()}
    called = {target for module in modules.values() for target in module.calls() if target in modules}
    roots = [folder for folder in modules if folder not in called]
    roots += sorted(called - _reached(modules, called))  # modules that call each other in a circle
    times = Counter(address for folder in roots for address in modules[folder].addresses())
    shared = frozenset(address for address, count in times.items() if count > 1)
    found: list[Block] = []
    for folder in roots:
        _read(modules[folder], modules, {}, _Where(folder, shared), (), found)
    if len(found) > MOST_BLOCKS:
        last = found[-1]
        return found, [Skipped(last.path, f"more than {MOST_BLOCKS} blocks once modules are written out", last.line)]
    return found, []


def _reached(modules: Mapping[str, "_Module"], called: set[str]) -> set[str]:
    pending = [folder for folder in modules if folder not in called]
    reached = set(pending)
    while pending:
        for target in modules[pending.pop()].calls():
            if target in modules and target not in reached:
                reached.add(target)
                pending.append(target)
    return reached


class _Module:
    """The files of one folder."""

    def __init__(self, folder: str, files: list[Parsed]) -> None:
        self.folder = folder
        self.raws: list[Raw] = []
        self.fragments: list[Parsed] = []
        self.values: list[Parsed] = []  # files of values for its variables
        self.stated: dict[str, tuple[Any, str]] = {}  # by files that Terraform loads by itself
        self.perhaps: dict[str, tuple[Any, str]] = {}  # by files that somebody has to name
        for parsed in files:
            name = posixpath.basename(parsed.path).removesuffix(".json")
            if name.endswith(".tfvars"):
                self.values.append(parsed)
                loaded = name == "terraform.tfvars" or name.endswith(".auto.tfvars")
                into = self.stated if loaded else self.perhaps
                into |= {key: (value, f"{parsed.path} line {line}") for key, (value, line) in parsed.loose.items()}
                continue
            self.raws += parsed.blocks
            if parsed.loose:
                self.fragments.append(parsed)

    def addresses(self) -> set[str]:
        """Of what it makes itself, and of the modules that it calls."""
        return {_address(raw) for raw in self.raws if raw.type in ("resource", "module")}

    def calls(self) -> Iterator[str]:
        for raw in self.raws:
            if raw.type == "module":
                target = self.target(raw)
                if target is not None:
                    yield target

    def target(self, raw: Raw) -> str | None:
        """The folder of a module that is called by a path."""
        try:
            source = Scope().value(raw.attributes["source"][0])
        except (Cannot, KeyError):
            return None
        if not isinstance(source, str) or not source.startswith("."):
            return None
        joined = posixpath.normpath(posixpath.join(self.folder, source))
        return "" if joined == "." else joined

    def scope(self, given: Mapping[str, tuple[Any, str]]) -> Scope:
        scope = Scope()
        for raw in self.raws:
            if raw.type == "locals":
                scope.locals |= {name: value for name, (value, _) in raw.attributes.items()}
            elif raw.type == "resource" and len(raw.labels) == 2:
                scope.resources[".".join(raw.labels)] = raw
        scope.variables = _Variables(self, given)
        return scope

    def variable(self, raw: Raw, name: str) -> tuple[Any, str]:
        if name in self.stated:
            value, where = self.stated[name]
            return _value(value), f"var.{name} of {where}"
        if name in self.perhaps:
            where = self.perhaps[name][1]
            return Unknown(f"var.{name} depends on which file is given: {where} states it", PLAN), ""
        if "default" not in raw.attributes:
            return Unknown(f"var.{name} has no default", f"a default of variable {name}, or {PLAN}"), ""
        expression, line = raw.attributes["default"]
        return _value(expression), f"var.{name} {_BY_DEFAULT}, {raw.path} line {line}"


class _Variables(Mapping[str, tuple[Any, str]]):
    """What those of one call of a module are worth, each worked out when it is first asked for."""

    def __init__(self, module: _Module, given: Mapping[str, tuple[Any, str]]) -> None:
        self._module = module
        self._given = given
        self._declared = {raw.labels[0]: raw for raw in module.raws if raw.type == "variable" and raw.labels}
        self._known: dict[str, tuple[Any, str]] = {}

    def __getitem__(self, name: str) -> tuple[Any, str]:
        if name not in self._known:
            declared = self._declared[name]
            given = self._given.get(name)
            self._known[name] = given if given is not None else self._module.variable(declared, name)
        return self._known[name]

    def __contains__(self, name: object) -> bool:
        return name in self._declared

    def __iter__(self) -> Iterator[str]:
        return iter(self._declared)

    def __len__(self) -> int:
        return len(self._declared)


# The type of a block that stands for a file of values (.tfvars).
VALUES = "tfvars"
_BY_DEFAULT = "by its default"


def is_default(stated: Sourced[Any]) -> bool:
    """Whether it is the default of a variable, for which whoever calls this may state another value."""
    return _BY_DEFAULT in stated.note


def _value(expression: Any) -> Any:
    try:
        return Scope().value(expression)
    except Cannot as error:
        return Unknown(error.reason, error.provide)


@dataclass(frozen=True)
class _Where:
    """The root module that is read, and the module within it."""

    root: str
    shared: frozenset[str]  # addresses that other roots have too
    module: str = ""

    def address(self, raw: Raw, index: str) -> str:
        """ "" where type and name say it all."""
        own = _address(raw)
        top = _MODULE.match(self.module)
        root = self.root.replace("/", ":") or "."
        told = f" ({root})" if (top[0] if top else own) in self.shared else ""
        return f"{self.within(own)}{index}{told}" if self.module or index or told else ""

    def within(self, name: str) -> str:
        return f"{self.module}.{name}" if self.module else name


_MODULE = re.compile(r"module\.[^.\[]+")


def _read(
    module: _Module,
    modules: Mapping[str, _Module],
    given: Mapping[str, tuple[Any, str]],
    where: _Where,
    stack: tuple[str, ...],
    found: list[Block],
) -> None:
    """Appends the module's blocks, and those of the modules that it calls."""
    if module.folder in stack or len(stack) > MOST_CALLS:
        return
    scope = module.scope(given)
    for parsed in (*module.fragments, *(each for each in module.values if each.loose and not stack)):
        line = min(line for _, line in parsed.loose.values())
        raw = Raw(VALUES if parsed in module.values else "", (), parsed.loose, [], parsed.path, line)
        found.append(_block(raw, scope, ""))
    for raw in module.raws:
        for index, instance in _instances(raw, scope):
            if len(found) > MOST_BLOCKS or scope.made[0] > MOST_BLOCKS:
                return
            made = _block(raw, instance, where.address(raw, index), where)
            found.append(made)
            target = module.target(raw) if raw.type == "module" else None
            if target is not None and target in modules:
                called = where.within(f"{_address(raw)}{index}")
                arguments = {
                    name: (
                        stated.value if isinstance(stated, Sourced) else stated,
                        f"argument of {called}, {raw.path} line {raw.attributes[name][1]}",
                    )
                    for name, stated in made.attributes.items()
                }
                below = replace(where, module=called)
                _read(modules[target], modules, arguments, below, (*stack, module.folder), found)


def _address(raw: Raw) -> str:
    return ".".join(raw.labels if raw.type == "resource" else (raw.type, *raw.labels))


def _instances(raw: Raw, scope: Scope) -> Iterator[tuple[str, Scope]]:
    """Each instance of a block with its index: none for a count of 0, one per key of a for_each that is known."""
    if raw.type not in ("resource", "data", "module"):
        yield "", scope
        return
    count = _value_in(scope, raw, "count")
    if count == 0 and not isinstance(count, bool):
        return
    each = _value_in(scope, raw, "for_each")
    pairs = _pairs(each)
    if pairs is None:
        yield "", scope
        return
    for key, value in pairs:
        yield f'["{key}"]', scope.within({"each": {"key": key, "value": value}})


def _value_in(scope: Scope, raw: Raw, name: str) -> Any:
    if name not in raw.attributes:
        return None
    try:
        return scope.value(raw.attributes[name][0])
    except Cannot as error:
        return Unknown(error.reason, error.provide)


def _pairs(each: Any) -> list[tuple[Any, Any]] | None:
    """Keys and values that a for_each goes over; None when it is not known."""
    if isinstance(each, Map) and len(each) <= MOST_INSTANCES:
        return list(each.items())
    if isinstance(each, Seq) and len(each) <= MOST_INSTANCES and not any(isinstance(one, Unknown) for one in each):
        return [(one, one) for one in each]
    return None


@once
def _opened(platform: Platform) -> frozenset[tuple[str, str]]:
    made = [block for block in platform.blocks if block.type == "resource"]
    return frozenset((block.root, _INDEX.sub("", block.module)) for block in made) | {
        ("", block.id.rpartition(f".{block.kind}.")[0])
        for block in made  # of a plan
    }


_INDEX = re.compile(r"\[[^\]]*\]")


def is_opened(platform: Platform, module: Block) -> bool:
    """Whether what a module makes is among the files: then that is looked at, and not the call."""
    return (module.root, module.own_address) in _opened(platform) or ("", module.id) in _opened(platform)


_NOWHERE = _Where("", frozenset())


def _block(raw: Raw, scope: Scope, address: str, where: _Where = _NOWHERE) -> Block:
    scope.made[0] += 1
    id_ = address or _address(raw)
    attributes = Attributes(raw, scope, id_)
    inner = tuple(made for each in raw.blocks for made in _inner(each, scope, id_))
    return Block(
        raw.type, raw.labels, attributes, inner, raw.path, raw.line, address, raw.references, raw.written, where.root,
        where.module,
    )  # fmt: skip


def _inner(raw: Raw, scope: Scope, id_: str) -> Iterator[Block]:
    if raw.type != "dynamic" or not raw.labels:
        yield _block(raw, scope, f"{id_}.{raw.type}")
        return
    name = raw.labels[0]
    content = next((each for each in raw.blocks if each.type == "content"), None)
    if content is None:
        return
    # Attributes of a block whose for_each is not known are Unknown, and so is whether it is there.
    made = Raw(name, (), content.attributes, content.blocks, raw.path, raw.line)
    variable = hcl.word(raw.attributes["iterator"][0]) if "iterator" in raw.attributes else name
    pairs = _pairs(_value_in(scope, raw, "for_each"))
    if pairs is None:
        unknown = Unknown(f"the for_each of its dynamic {name} is not known", PLAN)
        yield _block(made, scope.within({variable: unknown}), f"{id_}.{name}")
        return
    for key, value in pairs:
        if scope.made[0] > MOST_BLOCKS:  # dynamic blocks within one another multiply
            return
        yield _block(made, scope.within({variable: {"key": key, "value": value}}), f"{id_}.{name}")


def is_plan(root: Any) -> bool:
    """Whether a JSON document is what `terraform show -json` prints, of a plan or of the state."""
    if not isinstance(root, Map) or "format_version" not in root:
        return False
    return "resource_changes" in root or any(find(root, f"{key}.root_module") for key in ("planned_values", "values"))


def of_plan(root: Map, path: str) -> list[Block]:
    changes = {str(each.get("address")): each for each in items(root, "resource_changes") if isinstance(each, Map)}
    module = mapping(root, "planned_values.root_module") or mapping(root, "values.root_module")
    if module:
        listed = [(each, mapping(each, "values")) for each in _planned(module)]
    else:
        listed = [(each, mapping(each, "change.after")) for each in changes.values()]
    found = []
    for each, values in listed:
        change = changes.get(str(each.get("address")))
        unknown = mapping(change, "change.after_unknown") if change is not None else Map(0)
        if values or unknown:
            found.append(_planned_block(each, values, unknown, path))
    return found


def _planned(module: Map) -> Iterator[Map]:
    pending = [module]
    while pending:
        current = pending.pop()
        yield from (each for each in items(current, "resources") if isinstance(each, Map))
        pending += [each for each in items(current, "child_modules") if isinstance(each, Map)]


def _planned_block(each: Map, values: Map, unknown: Map, path: str) -> Block:
    address = str(each.get("address") or "")
    type_ = "data" if each.get("mode") == "data" else "resource"
    labels = (str(each.get("type") or ""), str(each.get("name") or ""))
    raws = [
        raw
        for name, value in values.items()
        if isinstance(value, Seq)
        for raw in _json_inner(name, value, path, values.lines[name], 0)
    ]
    attributes = {name: (hcl.Exact(value), values.lines[name]) for name, value in values.items()}
    raw = Raw(type_, labels, attributes, [_exact(one) for one in raws], path, each.line)
    made = _block(raw, Scope(), address)
    held = dict(made.attributes)
    for name, is_unknown in unknown.items():
        later = Unknown(AFTER_APPLY, PLAN, Place(path, each.line, address))
        stated = held.get(name)
        if is_unknown is True and stated is None:
            held[name] = later
        elif isinstance(stated, Sourced) and isinstance(stated.value, Seq) and True in items(is_unknown):
            held[name] = Sourced(_with_later(stated.value, is_unknown, later), stated.source, stated.place)
    return Block(type_, labels, held, made.blocks, path, each.line, address, written=frozenset(held))


def _with_later(listed: Seq, flags: Seq, later: Unknown) -> Seq:
    """A list in which null stands for what is known only after apply: with that instead."""
    made = Seq(listed.line)
    made.lines = listed.lines
    made.extend(later if flag is True else each for each, flag in zip(listed, flags, strict=False))
    return made


def _exact(raw: Raw) -> Raw:
    attributes = {name: (hcl.Exact(value), line) for name, (value, line) in raw.attributes.items()}
    return Raw(raw.type, raw.labels, attributes, [_exact(each) for each in raw.blocks], raw.path, raw.line)

"""HCL expressions, by tree-sitter: what they are worth as far as the files tell. PURE."""

import json
import operator
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import tree_sitter_hcl
from tree_sitter import Language, Node, Parser

from findings.platform.hcl_functions import FUNCTIONS, Cannot, Missing, as_text, bounded, is_number, sized
from findings.platform.hcl_references import References, text_of
from findings.platform.yaml_reader import Map, Seq
from platform_risk.quantities.sourced import Unknown

_LANGUAGE = Language(tree_sitter_hcl.language())
AFTER_APPLY = "known only after apply"
_ESCAPE = re.compile(r'\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([nrt"\\]))')
_PLAIN = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_HEREDOC = re.compile(r"<<(-?)[^\n]*\n", re.ASCII)


@dataclass(frozen=True)
class Exact:
    """A value that is no expression, of a plan."""

    value: Any


@dataclass
class Raw:
    """A block whose attributes are expressions still: a tree-sitter node, a value of JSON, or Exact."""

    type: str
    labels: tuple[str, ...]
    attributes: dict[str, tuple[Any, int]]
    blocks: list["Raw"]
    path: str
    line: int

    @cached_property
    def references(self) -> Mapping[str, tuple[str, ...]]:
        """What each attribute refers to; the same for every instance of the block."""
        return References(self.attributes)

    @cached_property
    def written(self) -> frozenset[str]:
        return frozenset(self.attributes)


# Looking for where a broken text goes on takes tree-sitter time that grows with the square of its length.
_SHORT = 16_000  # bytes: a good third of a second at the most
_PIECE = 256  # bytes of a long text that are given at once
_PATIENCE, _PATIENCE_PER_BYTE = 5.0, 5e-6  # seconds: more than ten times of what is needed
_WIDE_SPACES = re.compile(r"[^\S\x00-\x7f]{1000}")  # in which it does not say that it goes on


def parse(text: str) -> Node:
    """Raises ValueError for what is so far from HCL that telling where it is wrong would take minutes."""
    if not text.isascii() and _WIDE_SPACES.search(text):
        raise ValueError("white space without end")
    source = text.encode()
    if len(source) <= _SHORT:
        return Parser(_LANGUAGE).parse(source).root_node
    until = time.monotonic() + _PATIENCE + _PATIENCE_PER_BYTE * len(source)
    return (
        Parser(_LANGUAGE)
        .parse(
            lambda offset, _: source[offset : offset + _PIECE],
            progress_callback=lambda *_: time.monotonic() > until,
        )
        .root_node
    )


def error_lines(root: Node) -> Iterator[int]:
    pending = [root]
    while pending:
        node = pending.pop()
        if node.is_error or node.is_missing:
            yield node.start_point[0] + 1
        elif node.has_error:
            pending += reversed(node.children)


def attribute(node: Node) -> tuple[str, Node]:
    """Name and expression of an attribute; the attribute itself where its expression is broken."""
    name = next((text_of(each) for each in node.named_children if each.type == "identifier"), "")
    expression = next((each for each in node.named_children if each.type == "expression"), node)
    return name, node if node.has_error else expression


def label(node: Node) -> str:
    return text_of(node).strip('"')


def word(expression: Any) -> str:
    """A bare name, as after `iterator =`."""
    return text_of(expression).strip() if isinstance(expression, Node) else str(expression)


@dataclass
class Scope:
    """What names mean within one module, or one instance of a block."""

    variables: Mapping[str, tuple[Any, str]] = field(default_factory=dict)  # value or Unknown, and where it comes from
    locals: dict[str, Any] = field(default_factory=dict)  # expressions
    resources: dict[str, Raw] = field(default_factory=dict)
    around: Mapping[str, Any] = field(default_factory=dict)  # each, and the iterators of dynamic blocks
    notes: list[str] = field(default_factory=list)  # where the variables that were used come from
    made: list[int] = field(default_factory=lambda: [0])  # blocks so far, shared by every instance
    _open: set[str] = field(default_factory=set)
    _known: dict[str, tuple[Any, tuple[str, ...]]] = field(default_factory=dict)  # value or Cannot, and its notes

    def within(self, names: Mapping[str, Any]) -> "Scope":
        """The same with more names; with none at all, those of an instance are left."""
        around = {**self.around, **names} if names else {}
        return Scope(
            self.variables, self.locals, self.resources, around, self.notes, self.made, self._open, self._known
        )  # fmt: skip

    def value(self, expression: Any) -> Any:
        """Its value; a collection may hold Unknown. Raises Cannot."""
        if isinstance(expression, Exact):
            return expression.value
        if not isinstance(expression, Node):
            return _of_json(self, expression)
        if expression.has_error:
            raise Cannot("not valid HCL", "valid HCL")
        try:
            return _evaluated(self, expression)
        except RecursionError:
            raise Cannot("nested too deeply") from None

    def named(self, root: str, path: list[Any]) -> Any:
        """The value of var.a.b, local.c[0], each.value …"""
        if root in self.around:
            return _below(self.around[root], path, root)
        if root == "var" and path:
            if path[0] not in self.variables:
                raise Cannot(f"variable {path[0]} is not declared here")
            value, note = self.variables[path[0]]
            if note:
                self.notes.append(note)
            return _below(value, path[1:], f"var.{path[0]}")
        if root == "local" and path:
            return _below(self._local(path[0]), path[1:], f"local.{path[0]}")
        resource = self.resources.get(f"{root}.{path[0]}") if path else None
        if resource is not None and len(path) > 1 and path[1] in resource.attributes:
            expression = resource.attributes[path[1]][0]
            return _below(self._once(f"{root}.{path[0]}.{path[1]}", expression), path[2:], root)
        shown = ".".join([root, *map(str, path)])
        raise Cannot(f"{shown} is {AFTER_APPLY}" if root not in ("each", "count") else f"{shown} is not known")

    def _local(self, name: str) -> Any:
        if name not in self.locals:
            raise Cannot(f"local {name} is not declared here")
        return self._once(f"local.{name}", self.locals[name])

    def _once(self, name: str, expression: Any) -> Any:
        """Worked out once: locals that repeat one another would take time without bound otherwise."""
        if name not in self._known:
            if name in self._open:
                raise Cannot(f"{name} refers to itself", f"a {name} that does not")
            self._open.add(name)
            outer = self.within({})
            outer.notes = []
            try:
                value = outer.value(expression)
            except Cannot as error:
                value = Cannot(error.reason, error.provide)  # not the error, which holds on to all that ran
            finally:
                self._open.discard(name)
            self._known[name] = (value, tuple(dict.fromkeys(outer.notes)))
        value, notes = self._known[name]
        if isinstance(value, Cannot):
            raise Cannot(value.reason, value.provide)
        self.notes.extend(notes)
        return value


def _below(value: Any, path: list[Any], shown: str) -> Any:
    for part in path:
        if isinstance(value, Unknown):
            break
        if isinstance(value, dict) and str(part) in value:
            value = value[str(part)]
        elif isinstance(value, Seq) and isinstance(part, int) and 0 <= part < len(value):
            value = value[part]
        else:
            raise Missing(f"{shown} has no {part}")
    if isinstance(value, Unknown):
        raise Cannot(value.reason, value.provide)
    return value


# What most attributes are: a text without templates and escapes, a whole number, true, false, null; or names with dots.
_SIMPLE = re.compile(
    rb"\"([^\"\\$%\r\n]*)\"|([0-9]+)|(true|false)|null"
    rb"|((?!(?:true|false|null)\b)[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)+)"
)
_LONGEST_SIMPLE = 200


def _evaluated(scope: Scope, node: Node) -> Any:
    kind = node.type
    if kind == "expression" and node.end_byte - node.start_byte <= _LONGEST_SIMPLE:
        simple = _SIMPLE.fullmatch(node.text or b"")
        if simple is not None:
            return _of_simple(scope, simple)
    if kind in ("expression", "literal_value", "collection_value", "template_expr", "operation"):
        return _operand(scope, [each for each in node.named_children if each.type != "comment"], node)
    reader = _READERS.get(kind)
    if reader is None:
        raise Cannot(f"{text_of(node)[:60]} is not worked out")
    return reader(scope, node)


def _of_simple(scope: Scope, simple: re.Match[bytes]) -> Any:
    text, number, truth, dotted = simple.groups()
    if dotted is not None:
        root, *path = dotted.decode().split(".")
        return scope.named(root, path)
    if text is not None:
        return text.decode("utf-8", "replace")
    if number is not None:
        return int(number)
    return truth == b"true" if truth else None


def _operand(scope: Scope, parts: list[Node], whole: Node) -> Any:
    """A value and the path of attributes and indexes that follows it."""
    if parts and parts[0].type == "variable_expr":
        return scope.named(text_of(parts[0]), _path(scope, parts[1:]))
    if len(parts) == 1:
        return _evaluated(scope, parts[0])
    if not parts:
        raise Cannot(f"{text_of(whole)[:60]} is not worked out")
    return _below(_evaluated(scope, parts[0]), _path(scope, parts[1:]), text_of(parts[0])[:40])


def _path(scope: Scope, nodes: list[Node]) -> list[Any]:
    path: list[Any] = []
    for node in nodes:
        if node.type == "get_attr":
            path.append(text_of(node.named_children[-1]))
        elif node.type == "index":
            inner = node.named_children[0].named_children
            if not inner:
                raise Cannot(f"{text_of(node)} is not worked out")
            path.append(_evaluated(scope, inner[0]))
        else:
            raise Cannot(f"{text_of(node)} is not worked out")
    return path


def _number(_: Scope, node: Node) -> Any:
    text = text_of(node)
    if len(text) > 400:
        raise Cannot("a number of more than 400 digits")
    return float(text) if re.search(r"[.eE]", text) else int(text)


def _string(scope: Scope, node: Node) -> str:
    """A quoted string. Between its parts the source counts: the grammar drops white space there."""
    source = node.text or b""
    return _template(scope, node, source[1:-1], node.start_byte + 1, unescape=True)


def _heredoc(scope: Scope, node: Node) -> str:
    source = (node.text or b"").decode("utf-8", "replace")
    head = _HEREDOC.match(source)
    if head is None:
        return ""
    begin = len(head[0].encode())
    body = (node.text or b"")[begin:]
    body = body[: body.rfind(b"\n") + 1]
    text = _template(scope, node, body, node.start_byte + begin, unescape=False)
    if not head[1]:
        return text
    lines = text.split("\n")
    indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return "\n".join(line[indent:] for line in lines)


def _template(scope: Scope, node: Node, source: bytes, offset: int, *, unescape: bool) -> str:
    parts: list[str] = []
    position = 0
    # Not the error: with it, what ran would hold on to itself, and to all that was read.
    failed: tuple[type[Cannot], str, str] | None = None
    for child in node.named_children:
        if child.type == "template_directive":
            raise Cannot(f"{text_of(child)[:60]} is not worked out")
        if child.type != "template_interpolation":
            continue
        parts.append(_literal_text(source[position : child.start_byte - offset], unescape=unescape))
        inner = next((each for each in child.named_children if each.type == "expression"), None)
        if inner is None or "~" in (text_of(child)[:3] + text_of(child)[-2:]):
            raise Cannot(f"{text_of(child)[:60]} is not worked out")
        try:
            parts.append(as_text(_evaluated(scope, inner)))
        except Cannot as error:
            failed = failed or (type(error), error.reason, error.provide)
            parts.append("…")
        position = child.end_byte - offset
    parts.append(_literal_text(source[position:], unescape=unescape))
    text = bounded("".join(parts))
    if failed is not None:
        kind, reason, provide = failed
        raise kind(reason, provide, text)
    return text


def _literal_text(source: bytes, *, unescape: bool) -> str:
    text = source.decode("utf-8", "replace").replace("$${", "${").replace("%%{", "%{")
    return _ESCAPE.sub(_escaped, text) if unescape else text


def _escaped(found: re.Match[str]) -> str:
    digits = found[1] or found[2]
    if digits:
        code = int(digits, 16)
        return chr(code) if code < 0x110000 else found[0]
    return _PLAIN[found[3]]


def _object(scope: Scope, node: Node) -> Map:
    made = Map(node.start_point[0] + 1)
    for child in node.named_children:
        if child.type != "object_elem":
            continue
        key, value = [each for each in child.named_children if each.type != "comment"][:2]
        try:
            name = as_text(_key(scope, key))
        except Cannot:
            continue  # a key that nobody knows cannot be asked for either
        made[name] = _held(scope, value)
        made.lines[name] = child.start_point[0] + 1
    return sized(made, made.values())


def _key(scope: Scope, node: Node) -> Any:
    inner = node.named_children
    if len(inner) == 1 and inner[0].type == "variable_expr" and not text_of(node).startswith("("):
        return text_of(inner[0])
    return _evaluated(scope, node)


def _tuple(scope: Scope, node: Node) -> Seq:
    made = Seq(node.start_point[0] + 1)
    for child in node.named_children:
        if child.type == "expression":
            made.append(_held(scope, child))
            made.lines.append(child.start_point[0] + 1)
    return sized(made, made)


def _held(scope: Scope, node: Node) -> Any:
    try:
        return _evaluated(scope, node)
    except Cannot as error:
        return Unknown(error.reason, error.provide, partial=error.partial)


def _conditional(scope: Scope, node: Node) -> Any:
    condition, yes, no = [each for each in node.named_children if each.type == "expression"]
    chosen = _evaluated(scope, condition)
    if not isinstance(chosen, bool):
        raise Cannot(f"{text_of(condition)[:60]} is not worked out")
    return _evaluated(scope, yes if chosen else no)


_NUMERIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "%": operator.mod,
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def _binary(scope: Scope, node: Node) -> Any:
    at = next(number for number, each in enumerate(node.children) if not each.is_named)
    sign = node.children[at].type
    left, right = _operand(scope, node.children[:at], node), _operand(scope, node.children[at + 1 :], node)
    if sign in ("==", "!="):
        same = (type(left) is type(right) and left == right) or (is_number(left) and is_number(right) and left == right)
        return same if sign == "==" else not same
    if sign in ("&&", "||") and isinstance(left, bool) and isinstance(right, bool):
        return (left and right) if sign == "&&" else (left or right)
    if sign in _NUMERIC and is_number(left) and is_number(right) and max(abs(left), abs(right)) < 1e15:
        if sign in "/%" and not right:
            raise Cannot(f"{text_of(node)[:60]} divides by zero", "another divisor")
        result = _NUMERIC[sign](left, right)
        return int(result) if isinstance(result, float) and result.is_integer() else result
    raise Cannot(f"{text_of(node)[:60]} is not worked out")


def _unary(scope: Scope, node: Node) -> Any:
    sign = node.children[0].type
    value = _operand(scope, node.children[1:], node)
    if sign == "!" and isinstance(value, bool):
        return not value
    if sign == "-" and is_number(value):
        return -value
    raise Cannot(f"{text_of(node)[:60]} is not worked out")


def _call(scope: Scope, node: Node) -> Any:
    name = text_of(node.named_children[0])
    function = FUNCTIONS.get(name)
    listed = next((each for each in node.named_children if each.type == "function_arguments"), None)
    given = [each for each in listed.named_children if each.type == "expression"] if listed is not None else []
    if name == "try":
        return _try(scope, given)
    if function is None or (listed is not None and "..." in {each.type for each in listed.children}):
        raise Cannot(f"{name}() is not worked out")
    arguments = [_evaluated(scope, each) for each in given]
    try:
        return function(arguments)
    except IndexError:
        raise Cannot(f"{name}() with too few arguments", "its arguments") from None


def _try(scope: Scope, given: list[Node]) -> Any:
    """The first argument that does not ask for what is not there."""
    for each in given:
        try:
            return _evaluated(scope, each)
        except Missing:
            continue
    raise Cannot("none of the arguments of try() is there")


_READERS: dict[str, Callable[[Scope, Node], Any]] = {
    "numeric_lit": _number,
    "bool_lit": lambda _, node: text_of(node) == "true",
    "null_lit": lambda _, node: None,
    "string_lit": _string,
    "quoted_template": _string,
    "heredoc_template": _heredoc,
    "object": _object,
    "tuple": _tuple,
    "conditional": _conditional,
    "binary_operation": _binary,
    "unary_operation": _unary,
    "function_call": _call,
}


def _of_json(scope: Scope, value: Any) -> Any:
    """A value of the JSON form: its texts are templates."""
    if isinstance(value, str):
        return _of_text(scope, value) if "${" in value or "%{" in value else value
    if isinstance(value, Map):
        made = Map(value.line)
        made.lines = value.lines
        made.update({key: _held_json(scope, each) for key, each in value.items()})
        return sized(made, made.values())
    if isinstance(value, Seq):
        listed = Seq(value.line)
        listed.lines = value.lines
        listed.extend(_held_json(scope, each) for each in value)
        return sized(listed, listed)
    return value


def _held_json(scope: Scope, value: Any) -> Any:
    try:
        return _of_json(scope, value)
    except Cannot as error:
        return Unknown(error.reason, error.provide, partial=error.partial)


def _of_text(scope: Scope, text: str) -> Any:
    whole = re.fullmatch(r"\$\{([^{}]*)\}", text)
    source = f"x = {whole[1]}" if whole else f"x = {json.dumps(text, ensure_ascii=False)}"
    try:
        body = parse(source + "\n").named_children
    except ValueError:
        raise Cannot(f"{text[:60]} is not worked out") from None
    node = body[0].named_children[0] if body and body[0].named_children else None
    if node is None or node.type != "attribute":
        raise Cannot(f"{text[:60]} is not worked out")
    return scope.value(attribute(node)[1])

"""PromQL as far as alerts are told from it: a tree of numbers, selectors, calls and operators. PURE.

Grammar and precedence: Prometheus, querying basics and operators. What only shapes the result's labels (`by`, `on`,
`group_left`, `offset`, `@`) is read over.
"""

import re
from collections.abc import Iterator

from platform_risk.quantities.records import record

MOST_LETTERS = 20_000
MOST_DEPTH = 60
MOST_OPERATORS = 150

_BLANK = re.compile(r"(?:\s+|#[^\n]*)*+")
_TOKEN = re.compile(
    r"""(?:\s+|\#[^\n]*)*+  # with what is read over before it
    (?:(?P<name>[a-zA-Z_:][a-zA-Z0-9_:.]*)
    |(?P<mark>=~|!~|==|!=|<=|>=|[-+*/%^<>=(){}\[\],@])
    |(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)
    |(?P<number>0[xX][0-9a-fA-F]+|(?:[0-9]+(?:ms|[smhdwy]))+|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    |(?P<end>\Z))""",
    re.VERBOSE,
)
_COMPARE = ("==", "!=", ">", "<", ">=", "<=")
_LEVELS: tuple[tuple[str, ...], ...] = (("or",), ("and", "unless"), _COMPARE, ("+", "-"), ("*", "/", "%", "atan2"))
_BINDS = {operator: level for level, operators in enumerate(_LEVELS) for operator in operators}
_AGGREGATIONS = frozenset(
    ("sum", "min", "max", "avg", "group", "stddev", "stdvar", "count", "count_values", "bottomk", "topk", "quantile")
)
_LABELS = ("by", "without", "on", "ignoring", "group_left", "group_right")


class NotUnderstood(ValueError):
    """It is no PromQL, or more of it than is read here. The message says which."""


@record(frozen=True, slots=True)
class Number:
    value: float | None  # None for a text


@record(frozen=True, slots=True)
class Matcher:
    label: str
    operator: str  # = != =~ !~
    value: str


@record(frozen=True, slots=True)
class Metric:
    name: str
    matchers: tuple[Matcher, ...] = ()


@record(frozen=True, slots=True)
class Call:
    """A function or an aggregation."""

    name: str
    arguments: tuple["Node", ...]


@record(frozen=True, slots=True)
class Binary:
    operator: str
    left: "Node"
    right: "Node"


Node = Number | Metric | Call | Binary


def parse(text: str) -> Node:
    """Raises NotUnderstood."""
    if len(text) > MOST_LETTERS:
        raise NotUnderstood(f"longer than {MOST_LETTERS} letters")
    reader = _Reader(_tokens(text))
    node = reader.level(0, 0)
    if reader.kind != "end":
        raise NotUnderstood(f"“{reader.word[:40]}” is not expected here")
    return node


def metrics(node: Node) -> Iterator[Metric]:
    """Every selector in it."""
    pending = [node]
    while pending:
        each = pending.pop()
        if isinstance(each, Metric):
            yield each
        elif isinstance(each, Call):
            pending += each.arguments
        elif isinstance(each, Binary):
            pending += (each.left, each.right)


def calls(node: Node) -> Iterator[str]:
    pending = [node]
    while pending:
        each = pending.pop()
        if isinstance(each, Call):
            yield each.name
            pending += each.arguments
        elif isinstance(each, Binary):
            pending += (each.left, each.right)


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    kind, position = "", 0
    while kind != "end":
        match = _TOKEN.match(text, position)
        if match is None:
            odd = _BLANK.sub("", text[position:], count=1)
            raise NotUnderstood(f"“{odd[:20]}” is no PromQL")
        kind, position = str(match.lastgroup), match.end()
        found.append((kind, match[kind]))
    return found


class _Reader:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0
        self._operators = 0
        self.kind, self.word = tokens[0]

    def _take(self, wanted: str = "") -> str:
        word = self.word
        if wanted and word != wanted:
            raise NotUnderstood(f"“{wanted}” is expected instead of “{word[:40] or 'the end'}”")
        if self.kind == "end":
            raise NotUnderstood("it ends too soon")
        self._at += 1
        self.kind, self.word = self._tokens[self._at]
        return word

    def level(self, level: int, depth: int) -> Node:
        """Operators that bind at least as closely as `level`, those of one level from the left."""
        if depth > MOST_DEPTH:
            raise NotUnderstood("nested too deeply")
        node = self._power(depth)
        while (binds := self._binds()) >= level:
            operator = self._take().lower()
            self._operators += 1
            if self._operators > MOST_OPERATORS:
                raise NotUnderstood(f"more than {MOST_OPERATORS} operators")
            if self.word == "bool":
                self._take()
            self._labels()
            node = Binary(operator, node, self.level(binds + 1, depth + 1))
        return node

    def _binds(self) -> int:
        """The level of the operator that is next; -1 when none is."""
        return _BINDS.get(self.word.lower(), -1) if self.kind in ("mark", "name") else -1

    def _power(self, depth: int) -> Node:
        if self.word in ("-", "+"):
            sign = self._take()
            inner = self._power(depth + 1) if depth <= MOST_DEPTH else self.level(0, depth + 1)
            return Binary("-", Number(0), inner) if sign == "-" else inner
        node = self._atom(depth)
        if self.word == "^":
            self._take()
            self._labels()
            if depth > MOST_DEPTH:
                raise NotUnderstood("nested too deeply")
            return Binary("^", node, self._power(depth + 1))
        return node

    def _atom(self, depth: int) -> Node:
        if self.word == "(":
            self._take()
            node = self.level(0, depth + 1)
            self._take(")")
        elif self.kind == "number":
            node = Number(_number(self._take()))
        elif self.kind == "text":
            self._take()
            node = Number(None)
        elif self.kind == "name" or self.word == "{":
            node = self._named(depth)
        else:
            raise NotUnderstood(f"“{self.word[:40] or 'the end'}” is not expected here")
        self._modifiers()
        return node

    def _named(self, depth: int) -> Node:
        name = self._take() if self.kind == "name" else ""
        if name.lower() in ("inf", "nan"):
            return Number(None)
        if name.lower() in _AGGREGATIONS and self.word.lower() in ("by", "without"):
            self._labels()
        if name and self.word == "(":
            return self._call(name, depth)
        matchers = self._matchers() if self.word == "{" else ()
        named = name or next((each.value for each in matchers if each.label == "__name__" and each.operator == "="), "")
        if not named:
            raise NotUnderstood("a selector without a metric's name")
        return Metric(named, tuple(each for each in matchers if each.label != "__name__"))

    def _call(self, name: str, depth: int) -> Node:
        self._take("(")
        arguments: list[Node] = []
        while self.word != ")":
            arguments.append(self.level(0, depth + 1))
            if self.word != ",":
                break
            self._take()
        self._take(")")
        if name.lower() in _AGGREGATIONS:
            self._labels()
        return Call(name.lower(), tuple(arguments))

    def _labels(self) -> None:
        while self.kind == "name" and self.word.lower() in _LABELS:
            self._take()
            if self.word == "(":
                while self.word != ")":
                    if self.kind == "end":
                        raise NotUnderstood("a list of labels without its end")
                    self._take()
                self._take(")")

    def _matchers(self) -> tuple[Matcher, ...]:
        self._take("{")
        found: list[Matcher] = []
        while self.word != "}":
            if self.kind == "text" and self._tokens[self._at + 1][1] in (",", "}"):
                found.append(Matcher("__name__", "=", _unquoted(self._take())))
            else:
                label, operator = _unquoted(self._take()), self._take()
                if operator not in ("=", "!=", "=~", "!~") or self.kind != "text":
                    raise NotUnderstood("a selector with something else than label matchers")
                found.append(Matcher(label, operator, _unquoted(self._take())))
            if self.word == ",":
                self._take()
            elif self.word != "}":
                raise NotUnderstood("a selector without its end")
        self._take("}")
        return tuple(found)

    def _modifiers(self) -> None:
        while True:
            if self.word == "[":
                while self.word != "]":
                    if self.kind == "end":
                        raise NotUnderstood("a range without its end")
                    self._take()
                self._take("]")
            elif self.word.lower() == "offset":
                self._take()
                if self.word == "-":
                    self._take()
                self._take()
            elif self.word == "@":
                self._take()
                self._take()
                if self.word == "(":
                    self._take()
                    self._take(")")
            else:
                return


def _number(text: str) -> float | None:
    try:
        return float(int(text, 16)) if text[:2].lower() == "0x" else float(text)
    except ValueError:
        return None  # a duration


def _unquoted(text: str) -> str:
    if text[:1] not in "\"'`":
        return text
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if "\\" in text else text[1:-1]

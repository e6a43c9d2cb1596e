"""Reading JSON that may be large and may be hostile. PURE.

msgspec reads it typed and refuses NaN; what it does not bound is nesting (RecursionError), so that is counted first,
without recursion. Every refusal names the byte, line and column.
"""

import functools
import re
from typing import Any, TypeVar

import msgspec

from findings.scans import bounds
from findings.scans.records import Reject, ScanError

T = TypeVar("T")
_BLOCK = 4 * 1024 * 1024
_BOM = b"\xef\xbb\xbf"
_DROP = bytes(byte for byte in range(256) if byte not in b'"[]{}')
_STRINGS = re.compile(rb'"[^"]*"')
# Reports nest a dozen levels; what does not vanish after this many passes is counted one bracket at a time.
_PASSES = 40
_LONGEST_RECORD = 1024 * 1024  # bytes of a rejected record that are looked at for its excerpt


def prepared(data: Any) -> memoryview:
    """The document without its byte-order mark. Raises ScanError for another encoding or an empty file."""
    view = memoryview(data)
    head = bytes(view[:4])
    if head[:3] == _BOM:
        view = view[3:]
    elif head[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in head:
        raise ScanError("wrong_encoding", "The file is UTF-16 or UTF-32.", remedy="Save it as UTF-8.", byte=0)
    if _is_blank(view):
        raise ScanError("empty", "The file holds nothing.", remedy="Check that the scanner wrote its report.", byte=0)
    return view


def _is_blank(view: memoryview) -> bool:
    return not any(bytes(view[start : start + _BLOCK]).strip() for start in range(0, len(view), _BLOCK))


def check_depth(data: memoryview, deepest: int) -> None:
    """Raises ScanError when brackets nest deeper than `deepest`.

    Only quotes and brackets are kept (bytes.translate runs at memory speed), strings are taken out, then innermost
    pairs are peeled off, one level a pass. A document that is no JSON may come out wrong here; reading refuses it.
    """
    still_open = 0  # brackets that earlier blocks left open
    torn = b""  # what the last block cut in two: the quote of a string that goes on, a run of backslashes
    for start in range(0, len(data), _BLOCK):
        block = torn + bytes(data[start : start + _BLOCK])
        body = block.rstrip(b"\\")  # an escape must not be torn apart
        backslashes = block[len(body) :]
        bare = body.replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, _DROP)
        # Two quotes side by side go first, by far the most: each bracket keeps its parity of quotes before it.
        brackets = _STRINGS.sub(b"", bare.replace(b'""', b""))
        quote = brackets.find(b'"')
        if quote >= 0:
            brackets = brackets[:quote]
        torn = (b'"' if quote >= 0 else b"") + backslashes
        still_open = _depth_after(brackets, still_open, deepest)
        if still_open > deepest:
            raise ScanError(
                "too_deep",
                f"The document nests deeper than {deepest} levels.",
                remedy="This is no report of a scanner; if it is, raise PLATFORM_RISK_IMPORT_DEPTH.",
                byte=start,
            )


def _depth_after(brackets: bytes, depth: int, deepest: int) -> int:
    """Brackets open after these, or the first depth that is too deep."""
    before, rest, passes = depth, brackets, 0
    while passes < _PASSES:
        shorter = rest.replace(b"[]", b"").replace(b"{}", b"")
        if len(shorter) == len(rest):
            break
        rest = shorter
        passes += 1
    opened = rest.count(b"[") + rest.count(b"{")
    # Never more than this deep anywhere inside: what was open, what stays open, and the height that was peeled off.
    if passes < _PASSES and before + opened + 2 * passes <= deepest:
        return max(0, before + 2 * opened - len(rest))
    for bracket in brackets:
        depth += 1 if bracket in b"[{" else -1
        if depth > deepest:
            return depth
    return max(0, depth)


def decode(data: memoryview, kind: type[T]) -> T:
    """The document as `kind`. Raises ScanError not_json (with the place) or wrong_shape (with the pointer)."""
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        message, pointer = split_pointer(str(error))
        raise ScanError(
            "wrong_shape", message, remedy="The file is JSON, but not as this format has it.", pointer=pointer
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        byte = _byte_of(str(error), len(data))
        line, column = _place(data, byte)
        raise ScanError(
            "not_json",
            f"The file is not valid JSON: {_without_byte(str(error))}.",
            remedy="It may have been cut off or edited: produce it again.",
            byte=byte,
            line=line,
            column=column,
        ) from error
    except RecursionError as error:
        raise ScanError(
            "too_deep", "The document nests too deep.", remedy="This is no report of a scanner.", byte=0
        ) from error


# What decoding one record can raise: the record is rejected, the rest goes on.
RECORD_ERRORS = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def rejected(raw: msgspec.Raw, pointer: str, error: Exception) -> Reject:
    """One record that cannot be read, with the place inside it that says why."""
    message, inner = split_pointer(str(error))
    place = f" at {inner}" if inner != "/" else ""
    return Reject(pointer, bounds.line(_without_byte(message) + place, 500), excerpt(raw))


def excerpt(raw: msgspec.Raw) -> str:
    return bounds.text(bytes(memoryview(raw)[:_LONGEST_RECORD]).decode("utf-8", "replace"), 500)


def split_pointer(message: str) -> tuple[str, str]:
    """msgspec's "… - at `$.runs[0].x`" as a message and a JSON pointer (RFC 6901)."""
    words, _, place = message.partition(" - at `")
    steps = re.findall(r"\.([^.\[\]`]+)|\[(\d+|\.\.\.)\]", place)
    return words, "/" + "/".join(name or index for name, index in steps)


def _without_byte(message: str) -> str:
    return re.sub(r" *[(]byte [0-9]+[)]", "", message)


def _byte_of(message: str, size: int) -> int:
    match = re.search(r"byte (\d+)", message)
    return min(int(match[1]), size) if match else size


def _place(data: memoryview, byte: int) -> tuple[int, int]:
    """Line and column, both from 1, counted in blocks so that the document is never copied whole."""
    line, last = 1, -1
    for start in range(0, byte, _BLOCK):
        block = bytes(data[start : min(start + _BLOCK, byte)])
        count = block.count(b"\n")
        if count:
            line += count
            last = start + block.rfind(b"\n")
    return line, byte - last


# A string that the cut leaves open runs to the end: were it no token, each quote inside it would be tried in turn.
_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*+)(?:"(\s*:)?|\\?\Z)|[][{},]', re.DOTALL)
_OUTLINE_DEPTH = 5


@functools.lru_cache(maxsize=2)  # every format asks for the same head
def outline(head: bytes) -> dict[str, str]:
    """Which keys stand where in a document of which only the beginning is known, and their first text value.

    {"runs": [{"tool": {"name": "x"}}]} is {"runs": "", "runs[].tool": "", "runs[].tool.name": "x"}; a list at the top
    begins with "[]". Works wherever the document is cut. Empty for what does not begin like JSON.
    """
    text = head.decode("utf-8-sig", "replace").lstrip()
    if text[:1] not in ("{", "["):
        return {}
    found: dict[str, str] = {}
    stack: list[str] = []  # the path of each open container
    key = ""  # the key whose value comes next
    for match in _TOKEN.finditer(text):
        lexeme = match[0]
        if lexeme in "[{":
            # Below what is told the path does not matter, and it must not grow with a hostile depth.
            known = len(stack) <= _OUTLINE_DEPTH
            stack.append((key or (stack[-1] if stack else "")) + ("[]" if lexeme == "[" else "") if known else "")
            key = ""
        elif lexeme in "]}":
            if stack:
                stack.pop()
            key = ""
        elif lexeme == ",":
            key = ""
        elif match[2] and len(stack) <= _OUTLINE_DEPTH:
            key = f"{stack[-1]}.{match[1][:100]}".removeprefix(".") if stack else ""
            if key:
                found.setdefault(key, "")
        elif not match[2] and key and not found.get(key):
            found[key] = match[1][:200]
    return found

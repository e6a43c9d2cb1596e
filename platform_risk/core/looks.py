"""What is wrong with a file that nothing here can read: its encoding, or the place at which its JSON breaks. PURE."""

import codecs
import json
import re
from dataclasses import dataclass, field

# What is larger is not looked at as a whole.
MOST_BYTES = 32 * 1024 * 1024
_PROBE = 4096
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
NAMES = {
    "utf-16": "UTF-16", "utf-32": "UTF-32",
    "utf-16-le": "UTF-16 (little endian, without a byte-order mark)",
    "utf-16-be": "UTF-16 (big endian, without a byte-order mark)",
    "utf-32-le": "UTF-32 (little endian, without a byte-order mark)",
    "utf-32-be": "UTF-32 (big endian, without a byte-order mark)",
}  # fmt: skip
_LONE = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")


@dataclass(frozen=True)
class Fault:
    """`location`: any of line, column (from one) and byte (from zero, of the file as it is)."""

    code: str
    message: str
    remedy: str
    location: dict[str, int] = field(default_factory=dict)


def encoding_of(start: bytes) -> str:
    """As Python names it: by its mark, else by where zero bytes stand; utf-8 where neither says otherwise."""
    for mark, name in _MARKS:
        if start.startswith(mark):
            return name
    probe = start[:_PROBE]
    probe = probe[: len(probe) - len(probe) % 4]
    if not probe:
        return "utf-8"
    # The share of zeros at each of four places: texts are mostly of letters whose upper bytes are zero.
    first, second, third, fourth = (probe[at::4].count(0) * 4 / len(probe) for at in range(4))
    if second > 0.5 and fourth > 0.5 and first < 0.1:
        return "utf-32-le" if third > 0.9 else "utf-16-le"
    if first > 0.5 and third > 0.5 and fourth < 0.1:
        return "utf-32-be" if second > 0.9 else "utf-16-be"
    return "utf-8"


def wrong_encoding(start: bytes) -> Fault | None:
    """None for UTF-8, with or without its mark."""
    name = NAMES.get(encoding_of(start))
    if name is None:
        return None
    return Fault("wrong_encoding", f"The file is {name}.", "Save it as UTF-8 and send it again.", {"byte": 0})


def fault(content: bytes) -> Fault | None:
    """What alone explains that it cannot be read; None when it is whole, or nothing of the kind."""
    found = wrong_encoding(content)
    if found is not None:
        return found
    start = content[:_PROBE].removeprefix(codecs.BOM_UTF8).lstrip()
    if start[:1] not in (b"{", b"["):
        return None
    return json_fault(content)


def json_fault(content: bytes) -> Fault | None:
    """Where JSON breaks; of one document a line (which is no fault) only the first is looked at."""
    mark = len(codecs.BOM_UTF8) if content.startswith(codecs.BOM_UTF8) else 0
    try:
        text = content[mark:].decode("utf-8")
    except UnicodeDecodeError as error:
        byte = mark + error.start
        return Fault(
            "wrong_encoding", f"It looks like JSON, but is no UTF-8 at byte {byte}.",
            "Save it as UTF-8 and send it again.", _place(content, byte),
        )  # fmt: skip
    try:
        document = json.loads(text, parse_float=str, parse_int=str)
    except RecursionError:
        return Fault(
            "too_deep", "It looks like JSON that nests too deeply to be read.", "No tool writes that: check it."
        )
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and "\n" in text[: error.pos]:
            return None
        return _broken(content, mark + len(text[: error.pos].encode()), error.msg)
    return _odd(content, document)


def _broken(content: bytes, byte: int, said: str) -> Fault:
    place = _place(content, byte)
    ends = byte >= len(content.rstrip()) or said.startswith("Unterminated string")
    at = f"line {place['line']}, column {place['column']} (byte {byte:,})"
    return Fault(
        "not_json",
        f"It looks like JSON that ends in the middle, at {at}." if ends
        else f"It looks like JSON that breaks at {at}: {said[:1].lower()}{said[1:]}.",
        "Export it again, whole: it was cut off on its way." if ends else "Correct that place, or export it again.",
        place,
    )  # fmt: skip


def _odd(content: bytes, document: object) -> Fault | None:
    """JSON that the grammar allows and that no tool's report is."""
    if document == [] or document == {}:
        shape = "list" if isinstance(document, list) else "object"
        return Fault(
            "empty", f"It is JSON that holds an empty {shape} and nothing else.",
            "Ask the tool again, for a time or a place in which there is something.", {"byte": 0},
        )  # fmt: skip
    lone = _LONE.search(content)
    if lone is not None:
        try:
            json.dumps(document, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            return Fault(
                "not_json", "It holds half of a surrogate pair, which stands for no character.",
                "Correct that place, or export it again.", _place(content, lone.start()),
            )  # fmt: skip
        except RecursionError:
            return None
    return None


def _place(content: bytes, byte: int) -> dict[str, int]:
    before = content[:byte]
    return {"line": before.count(b"\n") + 1, "column": byte - (before.rfind(b"\n") + 1) + 1, "byte": byte}

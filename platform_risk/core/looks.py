"""What is wrong with a file that nothing here can read: that it is a page or holds nothing but zeros, its encoding, or
the place at which its JSON breaks. PURE."""

import codecs
import html
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
    "utf-16": "UTF-16", "utf-32": "UTF-32", "cp1252": "Windows-1252",
    "utf-16-le": "UTF-16 (little endian, without a byte-order mark)",
    "utf-16-be": "UTF-16 (big endian, without a byte-order mark)",
    "utf-32-le": "UTF-32 (little endian, without a byte-order mark)",
    "utf-32-be": "UTF-32 (big endian, without a byte-order mark)",
}  # fmt: skip
_TITLE = re.compile(r"<title[^>]*>\s*([^<]*)", re.IGNORECASE)
_PAGE = re.compile(r"\s*(?:<\?xml[^>]*>\s*|<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.I | re.S)
_AS_TABLE = "Save its sheet as CSV, in the program that opens it, or export it as CSV."
_UNPACKED = "Send it as it is, or packed as gzip, zip or tar."
# How files begin that are of another kind than any export: what each is, and what to do.
_KINDS = (
    (b"%PDF-", "a PDF document", "Export the figures as CSV, JSON or Parquet: a document is for reading."),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document, as an .xls workbook", _AS_TABLE),
    (b"{\\rtf", "a formatted document (RTF)", "Save it as plain text, or export it again."),
    (b"\x89PNG\r\n", "a picture (PNG)", "Export the figures, not a picture of them."),
    (b"\xff\xd8\xff", "a picture (JPEG)", "Export the figures, not a picture of them."),
    (b"SQLite format 3\x00", "a database (SQLite)", "Export its table as CSV."),
    (b"ORC", "a table in ORC", "Export it as Parquet or CSV."),
    (b"Obj\x01", "a table in Avro", "Export it as Parquet or CSV."),
    (b"BZh", "packed with bzip2", _UNPACKED), (b"\xfd7zXZ\x00", "packed with xz", _UNPACKED),
    (b"7z\xbc\xaf\x27\x1c", "packed with 7-Zip", _UNPACKED), (b"Rar!\x1a", "packed with RAR", _UNPACKED),
    (b"\x28\xb5\x2f\xfd", "packed with Zstandard", _UNPACKED),
)  # fmt: skip
# Of an archive that is a workbook: what its first part says.
_WORKBOOK = re.compile(r"(?:<\?xml[^>]*>\s*)?<Types\s[^>]*openxmlformats|application/vnd\.oasis\.opendocument")
_REFUSAL = re.compile(r"\s*(?:<\?xml[^>]*>\s*)?<Error>.*?<Code>([^<]*)</Code>", re.DOTALL)
_MOST_ZEROS = 16  # no text ends with so many, in whatever encoding
_NO_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1f]")
# Levels of nesting that are spoken of: exports have a dozen. What Python's own readers follow is some hundreds more.
_DEEPEST = 200
_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*"|([\[{])|([\]}])', re.S)
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


def as_utf8(content: bytes) -> tuple[bytes, str]:
    """A text in UTF-8, and the name of the encoding that it had; unchanged and "" where it is UTF-8 or no text."""
    encoding = encoding_of(content)
    if encoding not in NAMES:
        return content, ""
    try:
        return content.decode(encoding).encode(), NAMES[encoding]
    except UnicodeDecodeError:
        return content, ""  # wrong_encoding says what it is


def cut_character(encoding: str, size: int) -> Fault | None:
    """Of a text in UTF-16 or UTF-32 of so many bytes: what is cut within a character is cut off, whatever it was."""
    wide = 4 if encoding.startswith("utf-32") else 2 if encoding.startswith("utf-16") else 1
    if not size % wide:
        return None
    return Fault(
        "cut_file", f"It is {NAMES[encoding]} that ends within a character: it was cut off on its way.",
        "Export or copy it again, as it is and not as text, and compare its size.", {"byte": size - size % wide},
    )  # fmt: skip


def wrong_encoding(start: bytes) -> Fault | None:
    """None for UTF-8, with or without its mark."""
    encoding = encoding_of(start)
    name = NAMES.get(encoding)
    if name is None:
        return None
    return cut_character(encoding, len(start)) or Fault(
        "wrong_encoding", f"The file is {name}.", "Save it as UTF-8 and send it again.", {"byte": 0}
    )


def no_export(start: bytes) -> Fault | None:
    """A page or an answer that was saved in place of the file, and what was never written; None for anything else."""
    zeros = len(start.rstrip(b"\x00"))
    if len(start) - zeros >= _MOST_ZEROS and not _NO_TEXT.search(start[:zeros]):
        where = f"from byte {zeros:,} on" if zeros else "and nothing else"
        return Fault(
            "zero_bytes", f"It holds zero bytes (NUL) {where}: it was not written or copied to its end.",
            "Export or copy it again, and compare its size with the original's.", {"byte": zeros},
        )  # fmt: skip
    for begins, what, remedy in _KINDS:
        if start.startswith(begins) and _is_binary(start, begins):
            return Fault("other_file", f"It is {what}.", remedy, {"byte": 0})
    encoding = encoding_of(start)
    text = start[:_PROBE].decode(encoding, "replace")
    if _WORKBOOK.match(text):
        said = "It is a workbook (.xlsx or .ods), which is an archive of its parts."
        return Fault("other_file", said, _AS_TABLE, {"byte": 0})
    if _PAGE.match(text):
        title = _TITLE.search(text)
        words = " ".join(html.unescape(title[1]).split())[:80] if title else ""
        called = f", “{words}”" if words else ""
        return Fault(
            "web_page", f"It is a web page (HTML){called}: saved in place of the file, perhaps one of signing in.",
            "Sign in again, download the file itself, and see in an editor that it does not begin with <html>.",
            {"line": 1, "byte": 0},
        )  # fmt: skip
    refusal = _REFUSAL.match(text)
    if refusal:
        return Fault(
            "refused_answer", f"It is the refusal of a storage ({refusal[1][:80]}), saved in place of the file.",
            "Ask for the file again, with a link that has not expired and an account that may read it.",
            {"line": 1, "byte": 0},
        )  # fmt: skip
    return None


def _is_binary(start: bytes, begins: bytes) -> bool:
    """A table whose first column is called ORC… or BZh… is a text all the same."""
    return not begins.isalpha() or _NO_TEXT.search(start[:_PROBE]) is not None


def fault(content: bytes) -> Fault | None:
    """What alone explains that it cannot be read; None when it is whole, or nothing of the kind."""
    found = no_export(content) or wrong_encoding(content)
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
        return too_deep(content)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and "\n" in text[: error.pos]:
            return None
        return _broken(content, mark + len(text[: error.pos].encode()), error.msg)
    return _odd(content, document)


def too_deep(content: bytes) -> Fault:
    """Of JSON (or YAML in its brackets) that a reader has given up: where it goes deeper than any export."""
    depth = 0
    place: dict[str, int] = {}
    for found in _BRACKETS.finditer(content):
        depth += bool(found[1]) - bool(found[2])
        if depth > _DEEPEST:
            place = _place(content, found.start())
            break
    at = f" at line {place['line']}, column {place['column']} (byte {place['byte']:,})" if place else ""
    return Fault(
        "too_deep",
        f"It nests more than {_DEEPEST} levels deep{at}: that is not followed, for exports nest about a dozen.",
        "Look at that place: mostly a program has put an answer into itself again and again, or a bracket is not"
        " closed. Export it again from the tool itself.",
        place,
    )  # fmt: skip


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

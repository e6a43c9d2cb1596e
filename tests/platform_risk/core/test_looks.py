"""What is wrong with a file that nothing can read."""

import io
import tarfile

import pytest

from platform_risk.core import looks

SIGN_IN = b"""
<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>
  Sign in &#8211; Billing Console</title></head><body>...</body></html>"""
EXPIRED = b"""<?xml version="1.0" encoding="UTF-8"?>
<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>"""
BILL = b"Date,Service,Cost\n2026-06-01,EC2,1.5\n2026-06-02,EC2,1."


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (SIGN_IN, "web_page", "“Sign in – Billing Console”"),
        (b"\xef\xbb\xbf<HTML>", "web_page", "(HTML): saved in place of the file"),
        (SIGN_IN.decode().encode("utf-16"), "web_page", "Sign in"),
        (b'<?xml version="1.0"?><!-- a proxy --><html xmlns="x">', "web_page", "in place of the file"),
        (EXPIRED, "refused_answer", "(ExpiredToken)"),
        (b"%PDF-1.7\n%\xe2\xe3\n1 0 obj", "other_file", "a PDF document"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(40), "other_file", "an .xls workbook"),
        (b"BZh91AY&SY\x00\x01", "other_file", "packed with bzip2"),
        (
            b'<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">',
            "other_file", "a workbook (.xlsx or .ods)",
        ),
        (bytes(64), "zero_bytes", "and nothing else"),
        (BILL + bytes(4096), "zero_bytes", f"from byte {len(BILL)} on"),
    ],
)  # fmt: skip
def test_what_was_saved_in_place_of_an_export_is_called_what_it_is(content: bytes, code: str, said: str) -> None:
    fault = looks.fault(content)
    assert fault is not None
    assert (fault.code, said in fault.message) == (code, True), fault.message
    assert fault.remedy
    assert "byte" in fault.location


def test_a_text_that_is_whole_and_an_archive_are_neither() -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("bill.csv"))
    for content in (
        BILL,
        b"ORC,Cost\n1,2\n",
        b"<Report/>",
        b"",
        b"\x00",
        BILL.decode().encode("utf-16-le"),
        packed.getvalue(),
    ):
        assert looks.no_export(content) is None

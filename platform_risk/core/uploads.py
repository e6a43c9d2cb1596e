"""Uploads are streamed to temporary files, and no further than an import may weigh."""

from typing import IO, Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import TemporaryFileUploadHandler

# What a multipart body has beside its file.
ENVELOPE_BYTES = 64 * 1024


def largest() -> int:
    """Bytes of the largest file that any kind of import accepts."""
    return max(limits["stored_bytes"] for limits in settings.IMPORT_LIMITS.values())


class BoundedUploadHandler(TemporaryFileUploadHandler):
    """Refuses a body by its announced length, and by what arrives when that was a lie: before it fills the disk."""

    _received = 0

    def handle_raw_input(
        self, input_data: IO[bytes], META: dict[str, Any], content_length: int, boundary: str, encoding: Any = None
    ) -> None:
        if content_length > largest() + ENVELOPE_BYTES:
            raise RequestDataTooBig(f"The request has {content_length} bytes; at most {largest()} are accepted.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._received += len(raw_data)
        if self._received > largest() + ENVELOPE_BYTES:
            raise RequestDataTooBig(f"More than {largest()} bytes arrived.")
        super().receive_data_chunk(raw_data, start)

"""The database that adds up one bill: DuckDB, which may read the bill's own files and nothing else. PURE."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb

from costs.bills.opening import Bill
from costs.bills.records import quoted

MEMORY = "500MB"
SPILL = "20GB"  # on disk, for what does not fit into it
_ROWS = 5_000  # read out of the database at once
_SMALL = 4_000_000  # bytes of a bill that needs no several threads
# Lines of a bill whose database has no file: what does not fit into memory is spilled as it is, at most 800 bytes of a
# line. To pack it into a file takes a fifth of the work and saves nothing but disk, which larger bills may need.
_IN_MEMORY = 12_000_000


class Work:
    """What takes long, in a thread of its own from now on."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, work: Callable[[duckdb.DuckDBPyConnection], object]
    ) -> None:  # fmt: skip
        self.connection, self._work = connection, work
        self.failed: list[BaseException] = []
        self.thread = threading.Thread(target=self._done, name="bill", daemon=True)
        self.thread.start()

    def _done(self) -> None:
        try:
            self._work(self.connection)
        except BaseException as error:  # noqa: BLE001 # handed over to the thread that waits
            self.failed.append(error)

    def stop(self) -> None:
        while self.thread.is_alive():
            self.connection.interrupt()  # between two statements it is not heard
            self.thread.join(0.05)


def many(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[Any] = ()
) -> Iterator[list[tuple[Any, ...]]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, list(parameters))
        while rows := cursor.fetchmany(_ROWS):
            yield rows


def insert(connection: duckdb.DuckDBPyConnection, table: str, pairs: Sequence[tuple[str, str]]) -> None:
    for at in range(0, len(pairs), _ROWS):
        some = pairs[at : at + _ROWS]
        columns = [[pair[0] for pair in some], [pair[1] for pair in some]]
        connection.execute(f"INSERT INTO {table} SELECT unnest(?), unnest(?)", columns)


def copied(text: str) -> str:
    """SQL: as COPY's text format wants it."""
    for char, written in (("'\\'", "'\\\\'"), ("chr(9)", "'\\t'"), ("chr(10)", "'\\n'"), ("chr(13)", "'\\r'")):
        text = f"replace({text}, {char}, {written})"
    return text


def database(folder: Path, bill: Bill, lines: int) -> duckdb.DuckDBPyConnection:
    """A database for so many lines that may read the bill's own files and nothing else, and spills to the folder."""
    is_small = bill.bytes_total < _SMALL
    connection = duckdb.connect(":memory:" if lines < _IN_MEMORY else str(folder / "cube.duckdb"))
    threads = 1 if is_small else min(os.cpu_count() or 1, 4)
    connection.execute(f"SET memory_limit={quoted(MEMORY)}; SET threads={threads}")
    connection.execute(f"SET temp_directory={quoted(str(folder / 'spill'))}; SET preserve_insertion_order=false")
    connection.execute(f"SET max_temp_directory_size={quoted(SPILL)}")
    connection.execute("SET TimeZone='UTC'; SET enable_progress_bar=true; SET enable_progress_bar_print=false")
    connection.execute("SET autoinstall_known_extensions=false; SET autoload_known_extensions=false")
    connection.execute(f"SET allowed_paths=[{', '.join(quoted(str(part.table.path)) for part in bill.parts)}]")
    connection.execute(f"SET allowed_directories=[{quoted(f'{folder}/')}]")
    connection.execute("SET enable_external_access=false")
    return connection

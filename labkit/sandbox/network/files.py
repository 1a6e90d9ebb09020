"""Files of flow logs in the making: what of five minutes has come so far."""

from __future__ import annotations

from concurrent.futures import Future

import pyarrow as pa

from labkit.flowlog import writer
from labkit.flowlog.formats import LogFormat
from labkit.sandbox.network.records import WRITER, Capture


class TextFile:
    """Text as gzip, written and compressed beside the simulation as its records come."""

    def __init__(self, log_format: LogFormat) -> None:
        self._format = log_format
        self._file = writer.GzipText(log_format)
        self._added: list[Future[None]] = []

    def add(self, capture: Capture) -> None:
        """Adds records."""
        lines = capture.lines(self._format)  # comes first in the queue, so that nothing waits in it
        self._added.append(WRITER.submit(lambda: self._file.add(lines.result())))

    def close(self) -> bytes:
        """The whole file."""
        for added in self._added:
            added.result()
        return self._file.close()


class ParquetFile:
    """Parquet, which is written once all is there."""

    def __init__(self, log_format: LogFormat) -> None:
        self._format = log_format
        self._tables: list[pa.Table] = []

    def add(self, capture: Capture) -> None:
        """Adds records."""
        self._tables.append(writer.conform(capture.table(self._format), self._format))

    def close(self) -> bytes:
        """The whole file."""
        return writer.parquet(pa.concat_tables(self._tables), self._format)


File = TextFile | ParquetFile


def new_file(file_format: str, log_format: LogFormat) -> File:
    """An empty file of a flow log's file format, `plain-text` or `parquet`."""
    return ParquetFile(log_format) if file_format == "parquet" else TextFile(log_format)

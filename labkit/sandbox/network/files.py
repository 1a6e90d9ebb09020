"""Files of flow logs in the making: what of five minutes has come so far."""

from __future__ import annotations

from functools import partial

import pyarrow as pa

from labkit.flowlog import writer
from labkit.flowlog.formats import LogFormat
from labkit.sandbox.network.later import Later
from labkit.sandbox.network.records import Capture

_FEW = 500
"""Lines that are compressed at once: to hand them to the writer takes longer."""


class TextFile:
    """Text as gzip, written and compressed beside the simulation as its records come."""

    def __init__(self, log_format: LogFormat) -> None:
        self._format = log_format
        self._file = writer.GzipText(log_format)
        self._lines: list[Later[pa.StringArray]] = []
        self._added: list[Later[None]] = []

    def add(self, capture: Capture) -> None:
        """Adds records."""
        self._add(capture.lines(self._format))

    def close(self) -> bytes:
        """The whole file."""
        for added in self._added:
            added.result()
        return self._file.close()

    def __getstate__(self) -> tuple[LogFormat, list[Later[pa.StringArray]]]:
        """Pickle the lines: a compressor that is at work can't be."""
        return self._format, self._lines

    def __setstate__(self, state: tuple[LogFormat, list[Later[pa.StringArray]]]) -> None:
        """Compress the lines anew, which gives the same bytes."""
        log_format, lines = state
        self.__init__(log_format)  # type: ignore[misc]
        for each in lines:
            self._add(each)

    def _add(self, lines: Later[pa.StringArray]) -> None:
        self._lines.append(lines)
        idle = not self._added or self._added[-1].is_there
        if idle and lines.is_there and len(lines.result()) <= _FEW:
            self._file.add(lines.result())
            return
        self._added.append(Later(partial(_write, self._file, lines)))  # behind the lines: nothing waits in the queue


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


def _write(file: writer.GzipText, lines: Later[pa.StringArray]) -> None:
    file.add(lines.result())

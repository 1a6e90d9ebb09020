"""Log messages that are known before they are delivered, and what was found out about them."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa


@dataclass
class Texts:
    """Messages that are to be delivered in parts: what is true of a message is found out once for all of them."""

    lines: pa.StringArray
    known: dict[Hashable, Any] = field(default_factory=dict)
    """What was found out, by the question."""


def bytes_of(texts: pa.StringArray) -> int:
    """The bytes of texts, none of them NULL: where the last one ends, less where the first begins.

    >>> bytes_of(pa.array(["one", "two", "three"])[1:])
    8
    """
    if not len(texts):
        return 0
    ends = np.frombuffer(texts.buffers()[1], np.int32)
    return int(ends[texts.offset + len(texts)] - ends[texts.offset])

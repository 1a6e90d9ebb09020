"""Folds the names of databases and tables in moto's Glue to lower case, as AWS does.

"For Hive compatibility, this is folded to lowercase when it is stored":
https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-catalog-tables.html
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any


def folded(method: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a method of moto's so that it gets names in lower case, including those in what it stores."""
    signature = inspect.signature(method)  # callers pass the names by position or by keyword

    @wraps(method)
    def call(*arguments: Any, **named: Any) -> Any:
        given = signature.bind(*arguments, **named)
        for key, value in given.arguments.items():
            if key in ("database_name", "table_name"):
                given.arguments[key] = value.lower()
            elif key in ("database_input", "table_input") and "Name" in value:
                given.arguments[key] = {**value, "Name": value["Name"].lower()}
        return method(*given.args, **given.kwargs)

    return call

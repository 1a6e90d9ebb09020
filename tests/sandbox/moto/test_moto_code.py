"""What the installed moto does that it must not do unseen, in every module that the sandbox lets answer.

The test walks moto's source for names that draw at random, wait, read clocks that can't be moved, run code or other
programs, send requests, parse what can explode, inflate, or touch files. Each place is patched
(`labkit/sandbox/moto/patches.py`), or stands in `moto_code.tsv` with the reason why it may stay. Where this fails after
an update of moto: read the new places, patch them or add a row. `*` stands for any name or call.

Calls into services that are not on the list (Lambda, say) find nothing there: nobody can make anything in them.
"""

import ast
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

import moto
import pytest

from labkit.sandbox.moto import patches, services

ROOT = Path(moto.__file__).parent
ROWS = Path(__file__).with_name("moto_code.tsv")
PACKAGES = ("core", "utilities", "moto_api/_internal", "moto_server")
"""What the services stand on."""
DANGEROUS = [
    "__import__", "aiohttp.*", "antlr4.*", "asyncio.*", "boto3.*", "botocore.session.*", "builtins.*", "bz2.*",
    "code.*", "compile", "concurrent.*", "cryptography.*generate*", "cryptography.*random*", "ctypes.*",
    "defusedxml.*", "docker.*", "eval", "exec", "ftplib.*", "glob.*", "gzip.decompress", "gzip.GzipFile", "gzip.open",
    "http.client.*", "http.server.*", "importlib.import_module", "importlib.reload", "jinja2.*", "joblib.*",
    "jsonpath*.*", "jsonschema.*", "lxml.*", "lzma.*", "marshal.*", "multiprocessing.*", "numpy.random.*", "open",
    "os.environ", "os.environ.*", "os.exec*", "os.fork*", "os.getenv", "os.getrandom", "os.kill*", "os.listdir",
    "os.makedirs", "os.mkdir", "os.popen", "os.putenv", "os.remove", "os.rename", "os.replace", "os.rmdir",
    "os.scandir", "os.spawn*", "os.startfile", "os.system", "os.unlink", "os.urandom", "os.walk", "pathlib.*",
    "pickle.*", "pty.*", "py_partiql*.*", "queue.*", "random.*", "requests.*", "runpy.*", "sched.*", "secrets.*",
    "select.*", "shelve.*", "shutil.*", "smtplib.*", "socket.*", "socketserver.*", "sqlite3.*", "ssl.*",
    "subprocess.*", "tarfile.*", "tempfile.*", "threading.*", "time.monotonic*", "time.perf_counter*",
    "time.process_time*", "time.sleep", "time.thread_time*", "urllib.request.*", "urllib3.*", "uuid.getnode",
    "uuid.uuid1", "uuid.uuid4", "websocket.*", "xml.*", "xmlrpc.*", "xmltodict.parse", "yaml.*", "zipfile.*", "zlib.*",
]  # fmt: skip
BUILTINS = ("__import__", "compile", "eval", "exec", "open")


class Place(NamedTuple):
    """Where moto uses a name: `module`, the class and function it is in, and the name as it is imported from."""

    module: str
    inside: str
    name: str
    local: str
    """The name that the module gives it."""


def modules() -> Iterator[Path]:
    for package in (*(service.replace("-", "") for service in services.ANSWERED.values()), *PACKAGES):
        yield from sorted((ROOT / package).rglob("*.py"))


def imported(tree: ast.AST) -> dict[str, str]:
    """What each local name of a module stands for."""
    names = dict(zip(BUILTINS, BUILTINS, strict=True))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.partition(".")[0]
                names[alias.asname or first] = alias.name if alias.asname else first
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
    return names


def dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def uses(node: ast.AST, inside: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Every dotted name that a tree reads, with the class and function it is read in."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Name | ast.Attribute) and (name := dotted(child)) and not name.startswith("."):
            yield ".".join(inside), name
        elif isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield from uses(child, (*inside, child.name))
        else:
            yield from uses(child, inside)


def places() -> Iterator[Place]:
    for path in modules():
        tree = ast.parse(path.read_text())
        names = imported(tree)
        module = ".".join(("moto", *path.relative_to(ROOT).with_suffix("").parts))
        for inside, local in dict.fromkeys(uses(tree)):
            first, dot, rest = local.partition(".")
            name = names.get(first, "") + dot + rest
            if any(fnmatchcase(name, pattern) for pattern in DANGEROUS):
                yield Place(module, inside or "-", name, first)


def is_patched(place: Place) -> bool:
    """Whether the name, the function, or the class around it is another by the table."""
    replaced = {patch.place for patch in (*patches.FIRST, *patches.PATCHES) if patch.how == "replace"}
    parts = place.inside.split(".")
    around = {".".join(parts[: count + 1]) for count in range(len(parts))}
    return bool(replaced & {f"{place.module}:{name}" for name in {place.local, *around}})


def rows() -> list[list[str]]:
    lines = ROWS.read_text().splitlines() if ROWS.exists() else []
    return [line.split("\t") for line in lines]


def matches(place: Place, row: list[str]) -> bool:
    return all(fnmatchcase(part, pattern) for part, pattern in zip(place[:3], row[:3], strict=True))


@pytest.fixture(scope="module")
def left() -> list[Place]:
    return [place for place in places() if not is_patched(place)]


def test_every_dangerous_place_is_patched_or_has_a_reason_to_stay(left):
    listed = rows()
    assert not [tuple(place) for place in left if not any(matches(place, row) for row in listed)]


def test_no_reason_is_given_for_what_is_not_there(left):
    assert all(len(row) == 4 and row[3] for row in rows())
    assert not [row for row in rows() if not any(matches(place, row) for place in left)]


def test_what_else_tells_the_time_is_moved_with_the_clock(sandbox):
    sandbox.clock.advance(5 * 365 * 86400)
    now = sandbox.clock.now()
    assert time.time() == time.time_ns() / 1e9 == now.timestamp()
    assert datetime.now(UTC) == now
    assert datetime.utcnow() == now.replace(tzinfo=None)
    assert date.today() == now.date()
    assert time.gmtime()[:6] == now.timetuple()[:6]


if __name__ == "__main__":  # lists what has no row yet
    for found in places():
        if not is_patched(found) and not any(matches(found, row) for row in rows()):
            print(*found[:3], "", sep="\t")

"""The learner's settings: region, bucket, e-mail and cloud, parsed and checked once, kept in one small file.

`LABKIT_CLOUD` and `LABKIT_HOME` in the environment override the file.
"""

from __future__ import annotations

import difflib
import ipaddress
import json
import os
import re
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path

from labkit.lab.errors import LabError

CLOUDS = ("sandbox", "aws")
DEFAULT_REGION = "eu-west-1"
DEFAULT_EMAIL = "learner@example.com"
"""Where the sandbox's mails go until the form is filled in; RFC 2606 keeps example.com for such uses."""

_EMAIL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@(?P<domain>[^@\s]+)")
_DOMAIN = re.compile(r"(?=.{1,253}$)([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]*[A-Za-z0-9]")
_BUCKET_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
_BUCKET_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")


class SettingsError(LabError, ValueError):
    """Settings that can't be used; `problems` has the error text of each wrong setting."""

    def __init__(self, problems: Mapping[str, str], *, advice: str = "Fill in the form of notebook 00.") -> None:
        self.problems = dict(problems)
        super().__init__(f"{'; '.join(f'{name}: {text}' for name, text in self.problems.items())}. {advice}")


@dataclass(frozen=True)
class Settings:
    """What the form of notebook 00 asks for. An empty bucket stands for the provided one."""

    cloud: str = "sandbox"
    region: str = DEFAULT_REGION
    bucket: str = ""
    email: str = DEFAULT_EMAIL
    aws_account: str = ""
    """The AWS account that the learner confirmed as the one to work in."""

    @classmethod
    def parse(cls, values: Mapping[str, object]) -> Settings:
        """Parse settings as typed; one SettingsError lists everything that is wrong."""
        known = {field.name: field.default for field in fields(cls)}
        typed = {name: str(values.get(name, default)).strip() for name, default in known.items()}
        found = problems(typed) | {
            name: f"is no setting of the lab; it has {', '.join(known)}" for name in values if name not in known
        }
        if found:
            raise SettingsError(found)
        return cls(**typed)

    def changed(self, **values: str) -> Settings:
        """Return these settings with some values replaced as typed, all of them checked."""
        return self.parse({**asdict(self), **values})


def problems(typed: Mapping[str, str]) -> dict[str, str]:
    """Return the error text by setting name; each value is checked alone, then against the others."""
    found = {name: text for name, value in typed.items() if (text := problem(name, value))}
    if typed["cloud"] == "aws" and "email" not in found and _is_example(typed["email"]):
        found["email"] = f"nobody reads mail at {typed['email']}; on AWS it has to be an address of yours"
    return found


def problem(name: str, value: str) -> str:
    """Return the error text for the value of one setting; empty if it is right.

    >>> problem("bucket", "My_Bucket")
    "has capital letters ('M', 'B'); a bucket's name has only small letters, digits, dots and hyphens"
    """
    look = {
        "cloud": _cloud_problem,
        "region": _region_problem,
        "bucket": _bucket_problem,
        "email": _email_problem,
        "aws_account": _account_problem,
    }[name]
    return look(value)


def home() -> Path:
    """Return the directory for everything the lab keeps on this machine; if it is missing, make a private one."""
    path = Path(os.environ.get("LABKIT_HOME") or project_root() / ".labkit").expanduser().absolute()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.stat().st_mode & 0o077:
            path.chmod(0o700)
    except OSError as error:
        advice = "Set LABKIT_HOME to a directory that you can write."
        raise SettingsError({"LABKIT_HOME": f"{path} can't be used: {error.strerror}"}, advice=advice) from error
    return path


def project_root() -> Path:
    """Return the working tree, which has notebooks/ and data/; without one, the current directory."""
    here = Path.cwd()
    for candidate in (Path(__file__).parents[2], here, *here.parents):
        if (candidate / "notebooks").is_dir() and (candidate / "pyproject.toml").is_file():
            return candidate
    return here


def load() -> Settings:
    """Return the saved settings, or the defaults if none are saved; LABKIT_CLOUD overrides them."""
    kept = _read(home() / "settings.toml")
    if cloud := os.environ.get("LABKIT_CLOUD", "").strip():
        if text := problem("cloud", cloud):
            raise SettingsError({"LABKIT_CLOUD": text}, advice="Set it to one of these, or unset it.")
        kept["cloud"] = cloud
    return Settings.parse(kept)


def save(settings: Settings) -> None:
    """Save the settings in a file that is complete at any moment and readable by this user only."""
    lines = [f"{name} = {json.dumps(value)}" for name, value in asdict(settings).items() if value]
    write_private(home() / "settings.toml", "\n".join(lines) + "\n")


def change(**values: str) -> Settings:
    """Change some of the saved settings, check them all, and save them."""
    settings = load().changed(**values)
    save(settings)
    return settings


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step, readable by this user only."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@cache
def regions() -> dict[str, str]:
    """The regions a learner can choose, with their names: `{"eu-west-1": "Europe (Ireland)", ...}`."""
    import botocore.session

    partitions = botocore.session.Session().get_data("endpoints")["partitions"]
    commercial = next(partition for partition in partitions if partition["partition"] == "aws")
    return {code: commercial["regions"][code]["description"] for code in sorted(commercial["regions"])}


def _read(path: Path) -> dict[str, object]:
    advice = f"Delete {path.parent.name}/{path.name} and fill in the form of notebook 00 again."
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError({path.name: f"the file can't be understood ({error})"}, advice=advice) from error
    except OSError as error:
        raise SettingsError({path.name: f"the file can't be read ({error.strerror})"}, advice=advice) from error


def _cloud_problem(value: str) -> str:
    return "" if value in CLOUDS else f"{value!r} is no cloud of the lab; it is 'sandbox' or 'aws'"


def _region_problem(value: str) -> str:
    if value in regions():
        return ""
    near = difflib.get_close_matches(value.lower(), regions(), n=1)
    return f"{value!r} is no AWS region{f'; did you mean {near[0]}?' if near else f'; one is {DEFAULT_REGION}'}"


def _bucket_problem(value: str) -> str:
    """S3's rules: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html."""
    if not value:
        return ""
    if not 3 <= len(value) <= 63:
        return f"has {len(value)} characters; a bucket's name has 3 to 63"
    allowed = "a bucket's name has only small letters, digits, dots and hyphens"
    if capitals := _listed(re.findall("[A-Z]", value)):
        return f"has capital letters ({capitals}); {allowed}"
    if strange := _listed(re.findall("[^a-z0-9.-]", value)):
        return f"has characters that can't be in it ({strange}); {allowed}"
    return _bucket_shape_problem(value)


def _bucket_shape_problem(value: str) -> str:
    if value[0] in ".-" or value[-1] in ".-":
        return "a bucket's name begins and ends with a letter or a digit"
    if ".." in value:
        return "has two dots in a row, which a bucket's name can't have"
    if _is_address(value):
        return f"{value} looks like an IP address, which a bucket's name must not"
    for affix, found in [(p, value.startswith(p)) for p in _BUCKET_PREFIXES] + [
        (s, value.endswith(s)) for s in _BUCKET_SUFFIXES
    ]:
        if found:
            return f"{affix!r} at the {'start' if affix in _BUCKET_PREFIXES else 'end'} is reserved by S3"
    return ""


def _email_problem(value: str) -> str:
    if not value:
        return "an e-mail address is needed: the alarm writes to it"
    if "@" not in value:
        return f"{value!r} has no @; an e-mail address looks like name@example.com"
    match = _EMAIL.fullmatch(value)
    if not match or len(value) > 254:
        return f"{value!r} is no e-mail address; one looks like name@example.com"
    if not _DOMAIN.fullmatch(match["domain"]):
        return f"{match['domain']!r} after the @ is no domain; one looks like example.com"
    return ""


def _account_problem(value: str) -> str:
    return "" if re.fullmatch(r"(\d{12})?", value) else f"{value!r} is no AWS account id; one has 12 digits"


def _is_example(email: str) -> bool:
    domain = email.rpartition("@")[2].lower()
    return domain in {"example.com", "example.net", "example.org"} or domain.endswith((".example", ".invalid", ".test"))


def _is_address(value: str) -> bool:
    try:
        ipaddress.IPv4Address(value)
    except ValueError:
        return False
    return True


def _listed(characters: list[str]) -> str:
    return ", ".join(map(repr, dict.fromkeys(characters)))

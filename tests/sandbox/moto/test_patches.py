"""The table of patches fits the moto that is installed.

Where this fails after an update of moto: read the code at the place again, adjust the replacement or take it out, and
write the new signatures down with `python -m tests.sandbox.moto.test_patches`.
"""

import inspect
from importlib.metadata import version
from pathlib import Path

import pytest

from labkit.sandbox import moto_state
from labkit.sandbox.moto import patches

SIGNATURES = Path(__file__).with_name("patched_signatures.tsv")
ALL = (*patches.FIRST, *patches.PATCHES, *(patch for later in patches.LATER.values() for patch in later))


def install() -> None:
    moto_state.reset()
    for service in patches.LATER:
        patches.install_for(service)


def signature(patch: patches.Patch) -> str:
    """What the original is called with, or which members of it are of use."""
    original = patches.originals[patch.place]
    original = getattr(original, "__func__", original)
    return str(inspect.signature(original)) if inspect.isfunction(original) else type(original).__name__


@pytest.fixture(autouse=True, scope="module")
def installed():
    install()


@pytest.mark.parametrize("patch", ALL, ids=lambda patch: patch.place)
def test_a_patched_name_is_there_and_takes_what_it_took(patch):
    known = dict(line.split("\t") for line in SIGNATURES.read_text().splitlines())
    assert signature(patch) == known.get(patch.place), f"{patch.place} of moto has changed: read it again"


@pytest.mark.parametrize("patch", [patch for patch in ALL if patch.how == "replace"], ids=lambda patch: patch.place)
def test_a_replacement_stands_in_its_place(patch):
    found = inspect.getattr_static(*patches._find(patch.place))
    found = found.__func__ if isinstance(found, staticmethod) else found
    assert found == patches.resolve(patch.replacement)


def positional(function, *, skip: int = 0) -> int:
    """How many arguments a function takes by their place; many, if any number."""
    parameters = list(inspect.signature(function).parameters.values())[skip:]
    if any(each.kind is inspect.Parameter.VAR_POSITIONAL for each in parameters):
        return 1000
    return sum(each.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD for each in parameters)


@pytest.mark.parametrize("patch", [patch for patch in ALL if patch.how == "replace"], ids=lambda patch: patch.place)
def test_a_function_takes_as_many_arguments_as_the_one_it_replaces(patch):
    original, replacement = patches.originals[patch.place], patches.resolve(patch.replacement)
    function = getattr(original, "__func__", original)
    if inspect.isfunction(function) and inspect.isfunction(replacement):
        assert positional(replacement) >= positional(function, skip=isinstance(original, classmethod))


def test_every_patch_says_why_and_is_of_the_moto_that_is_installed():
    installed_version = version("moto")
    for patch in ALL:
        assert patch.why
        if patch.place.startswith("moto."):
            assert patch.seen == installed_version, f"{patch.place} was read in moto {patch.seen}: read it again"


def test_no_name_is_patched_twice():
    places = [patch.place for patch in ALL]
    assert len(places) == len(set(places))


if __name__ == "__main__":
    install()
    SIGNATURES.write_text("".join(f"{patch.place}\t{signature(patch)}\n" for patch in ALL))

"""Writes environment.yml, for conda and Binder, from what a learner runs by pyproject.toml.

Run it after a change of the requirements; a test holds the two equal.
"""

import tomllib
from pathlib import Path

PROJECT = Path(__file__).parents[1]


def environment() -> str:
    """The text of environment.yml."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    requirements = sorted(project["project"]["dependencies"])
    lines = [
        "# Written by scripts/write_environment.py from pyproject.toml; change it there.",
        "name: vpc-flow-logs-lab",
        "channels:",
        "  - conda-forge",
        "dependencies:",
        f"  - python{project['project']['requires-python']}",
        "  - pip",
        "  - pip:",
        *(f'      - "{requirement}"' for requirement in requirements),
        "      - -e .",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    (PROJECT / "environment.yml").write_text(environment())

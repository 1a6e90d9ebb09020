"""Every notebook has the same shape, runs from any start, and holds outputs that mean the same on every machine."""

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
PHASE_NOTEBOOKS = [path for path in NOTEBOOKS if not path.stem.startswith("00")]
NAMES = [
    "00_start_here",
    "01_flow_log_to_s3",
    "02_flow_log_to_cloudwatch",
    "03_generate_traffic",
    "04_metric_filter",
    "05_alarm",
    "06_logs_insights",
    "07_athena_table",
    "08_rejects_by_source_port_weekday",
    "09_investigation",
    "10_clean_up",
]

TELLTALES = {
    "a port": r"127\.0\.0\.1:\d|localhost:\d",
    "an absolute path": r"(?<![\w.])/(tmp|home|Users|root|work|var)/\w",
    "a memory address": r"\b0x[0-9a-f]{6,}\b",
    "a secret": r"(?i:secret_?access_?key)|Bearer ",
    "an escape sequence of a terminal": r"\x1b\[",
}


def cells_of(path: Path, kind: str = "") -> list[dict[str, Any]]:
    cells = json.loads(path.read_text("utf-8"))["cells"]
    return [cell for cell in cells if not kind or cell["cell_type"] == kind]


def source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def prose(path: Path) -> str:
    return "\n\n".join(source(cell) for cell in cells_of(path, "markdown"))


def headings(path: Path) -> list[str]:
    without_code = re.sub(r"(?ms)^```.*?^```", "", prose(path))
    return re.findall(r"(?m)^(#+ .+)$", without_code)


def test_all_notebooks_of_the_workbook_are_there():
    assert [path.stem for path in NOTEBOOKS] == NAMES


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
class TestShape:
    def test_runs_on_the_kernel_that_every_installation_has(self, path):
        notebook = json.loads(path.read_text("utf-8"))
        assert notebook["metadata"]["kernelspec"]["name"] == "python3"
        assert set(notebook["metadata"]) == {"kernelspec", "language_info"}
        assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)

    def test_headings_are_in_order_with_one_at_the_top(self, path):
        depths = [len(heading.split()[0]) for heading in headings(path)]
        assert depths[0] == 1
        assert depths.count(1) == 1
        assert all(after - before <= 1 for before, after in pairwise(depths))

    def test_opens_with_the_question_and_a_card_before_any_code(self, path):
        opening = source(cells_of(path)[0])
        assert all(word in opening for word in ("**Goal**", "**Time**", "**Cost"))
        assert 60 <= len(re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", opening).split()) <= 300

    def test_prose_leads_into_code(self, path):
        cells = cells_of(path)
        assert cells[0]["cell_type"] == "markdown"
        for before, cell in pairwise(cells):
            assert not (cell["cell_type"] == "code" and before["cell_type"] == "code"), source(cell)

    def test_ends_in_prose_with_what_was_learnt_and_what_comes_next(self, path):
        last = cells_of(path)[-1]
        assert last["cell_type"] == "markdown"
        assert "## What was learnt" in source(last)
        assert "**Next:**" in source(last)

    def test_links_lead_somewhere(self, path):
        targets = re.findall(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)", prose(path))
        assert targets
        assert [target for target in targets if not (path.parent / target).exists()] == []

    def test_folds_are_closed(self, path):
        assert prose(path).count("<details>") == prose(path).count("</details>")

    def test_was_run_once_from_top_to_bottom(self, path):
        counts = [cell["execution_count"] for cell in cells_of(path, "code")]
        assert counts == list(range(1, len(counts) + 1))

    def test_no_cell_failed(self, path):
        outputs = [output for cell in cells_of(path, "code") for output in cell["outputs"]]
        assert [output for output in outputs if output["output_type"] == "error"] == []
        assert [output for output in outputs if output.get("name") == "stderr"] == []

    @pytest.mark.parametrize("telltale", TELLTALES)
    def test_outputs_tell_nothing_of_the_machine(self, path, telltale):
        outputs = json.dumps([cell["outputs"] for cell in cells_of(path, "code")], ensure_ascii=False)
        without_images = re.sub(r"data:image/\w+;base64,[^\\\\]*", "", outputs)
        assert re.findall(f".{{0,40}}(?:{TELLTALES[telltale]}).{{0,40}}", without_images) == []

    def test_images_have_a_text_alternative(self, path):
        for cell in cells_of(path, "code"):
            for data in (output.get("data", {}) for output in cell["outputs"]):
                assert "image/png" not in data, "JupyterLab gives such an image no text alternative"
                for image in re.findall("<img [^>]*>", "".join(data.get("text/html", ""))):
                    assert re.search(r'\balt="[^"]{40,}"', image), source(cell)

    def test_all_outputs_are_compared(self, path):
        assert "NBVAL" not in path.read_text("utf-8")
        assert all(not cell["metadata"].get("tags") for cell in cells_of(path))

    def test_imports_nothing_by_star_and_asks_for_nothing_at_a_prompt(self, path):
        code = "\n".join(source(cell) for cell in cells_of(path, "code"))
        assert not re.search(r"import \*|\binput\(|getpass|%store|!pip", code)


@pytest.mark.parametrize("path", PHASE_NOTEBOOKS, ids=lambda path: path.stem)
class TestPhaseNotebook:
    def test_can_be_opened_first(self, path):
        code = [source(cell) for cell in cells_of(path, "code")]
        assert "lab = Lab.open()" in code[0]
        assert re.fullmatch(r'lab\.catch_up\(before="[^"]+"\)', code[1])

    def test_checks_its_phase_and_asks_questions(self, path):
        code = "\n".join(source(cell) for cell in cells_of(path, "code"))
        phase = re.search(r'catch_up\(before="([^"]+)"\)', code)[1]
        assert f'check("{phase}")' in code
        assert "quiz(" in code

    def test_links_to_its_neighbours_glossary_and_cheat_sheet(self, path):
        opening, place = source(cells_of(path)[0]), NAMES.index(path.stem)
        assert f"({NAMES[place - 1]}.ipynb)" in opening
        assert "(../docs/glossary.md)" in opening
        assert "(../docs/cheat_sheet.md)" in opening
        if place + 1 < len(NAMES):
            assert f"({NAMES[place + 1]}.ipynb)" in source(cells_of(path)[-1])

    def test_has_likely_errors_and_an_exercise(self, path):
        assert "<details>" in prose(path)
        assert "**Exercise.**" in prose(path) or "**Specification.**" in prose(path)

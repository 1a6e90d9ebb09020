"""Every notebook has the same shape, runs from any start, and holds outputs that mean the same on every machine."""

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from labkit.checks.hints import hints
from labkit.lab.syllabus import PHASES, Phase
from labkit.show.quiz import quiz

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

NOTHING_TO_CLICK = {
    "01": {4},  # a record is read
    "04": {1, 3},  # the pattern is read; it is broken where step 2 tests it
    "05": {5},  # the mail is in the mailbox
    "08": set(range(2, 9)),  # each is a statement for Athena, as step 1 says
    "09": {2, 3, 4, 6},  # so are these, as their step 1 says
}
"""Steps that are done in no other place of the console than the one before."""

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
        """One cell opens the lab and catches up; the table of phases knows its notebook."""
        first = source(cells_of(path, "code")[0])
        assert "lab = Lab.open()" in first
        assert first.endswith(f'lab.catch_up(before="{phase_of(path).key}")')

    def test_card_has_all_its_rows_and_a_picture_with_words_for_it(self, path):
        opening = source(cells_of(path)[0])
        for row in ("Goal", "Time", "Cost on AWS", "Left behind"):
            assert f"| **{row}** |" in opening
        assert re.search(rf'<img src="images/{path.stem}.svg" alt="[^"]{{40,}}"', opening)

    def test_sections_come_in_the_order_of_every_phase(self, path):
        """Why before how: the idea, the steps, the check, the exercises, what was learnt."""
        sections = [heading for heading in headings(path) if heading.startswith("## ")]
        kinds = [re.match(r"## (The idea|Step|Check|Try it|What was learnt)", heading)[1] for heading in sections]
        assert list(dict.fromkeys(kinds)) == ["The idea", "Step", "Check", "Try it", "What was learnt"]
        assert [kind for kind in kinds if kind != "Step"] == ["The idea", "Check", "Try it", "What was learnt"]
        numbers = [int(number) for number in re.findall(r"## Step (\d+):", "\n".join(sections))]
        assert numbers == list(range(1, len(numbers) + 1))

    def test_every_step_has_its_minutes_and_the_card_their_sum(self, path):
        timed = [heading for heading in headings(path) if re.match("## (Step|Try it)", heading)]
        minutes = [re.search(r"\((\d+) minutes?", heading) for heading in timed]
        assert all(minutes), timed
        rest = phase_of(path).minutes - sum(int(found[1]) for found in minutes)
        assert 0 <= rest <= 5, "for the idea, the check and the questions"

    def test_every_step_has_its_way_in_the_console(self, path):
        cells = [source(cell) for cell in cells_of(path)]
        steps = re.split(r"(?m)^## Step \d+: ", "\n".join(cells).partition("\n## Check")[0])[1:]
        without = {number for number, step in enumerate(steps, 1) if "in_console(" not in step}
        assert without == NOTHING_TO_CLICK.get(path.stem[:2], set())

    def test_steps_have_their_way_in_code_with_what_aws_was_asked(self, path):
        outputs = json.dumps([cell["outputs"] for cell in cells_of(path, "code")], ensure_ascii=False)
        assert "<summary>In the console:" in outputs
        assert "aws " in outputs, "what AWS was asked, as AWS CLI lines"

    def test_likely_errors_stand_under_steps(self, path):
        steps = prose(path).partition("## Step 1")[2].partition("## Check")[0]
        assert steps.count("<details><summary>") >= 3

    def test_exercises_fade_and_have_hints(self, path):
        exercises = prose(path).partition("## Try it")[2]
        kinds = ("Every command", "Goal only", "Specification")
        assert re.findall(r"\*\*(Every command|Goal only|Specification): [^*]+\.?\*\*", exercises) == list(kinds)
        code = [source(cell) for cell in cells_of(path, "code")]
        assert f'hints("{phase_of(path).key}")' in code
        for ladder in hints(phase_of(path)).ladders:
            assert all(rung.text or rung.code for rung in ladder.rungs), ladder.name

    def test_checks_its_phase_and_asks_three_questions(self, path):
        key = phase_of(path).key
        code = [source(cell) for cell in cells_of(path, "code")]
        assert f'check("{key}")' in code
        assert code[-1] == f'quiz("{key}")'
        assert len(quiz(key).questions) == 3

    def test_links_to_its_neighbours_glossary_and_cheat_sheet(self, path):
        opening, place = source(cells_of(path)[0]), NAMES.index(path.stem)
        assert f"({NAMES[place - 1]}.ipynb)" in opening
        assert "(../docs/glossary.md)" in opening
        assert "(../docs/cheat_sheet.md)" in opening
        if place + 1 < len(NAMES):
            assert f"({NAMES[place + 1]}.ipynb)" in source(cells_of(path)[-1])


def phase_of(path: Path) -> Phase:
    return next(phase for phase in PHASES if phase.notebook == path.stem)


def test_the_instructors_note_is_in_every_phase_and_in_no_notebook():
    for path in PHASE_NOTEBOOKS:
        text = (path.parent / "source" / f"{path.stem}.md").read_text("utf-8")
        notes = re.findall(r'<!-- #region tags=\["instructor"\] -->\n(.*?)\n<!-- #endregion -->', text, re.DOTALL)
        assert notes, path.stem
        assert not any(note in prose(path) for note in notes)

"""The notebooks are what their sources and the table of phases say, and nothing of the solutions gets into them."""

import importlib.util
import json
import re
import sys
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from labkit.lab.prices import prices
from labkit.lab.settings import DEFAULT_REGION
from labkit.lab.syllabus import PHASES, START

SCRIPT = Path(__file__).parents[1] / "scripts" / "build_notebooks.py"


def load_build():
    spec = importlib.util.spec_from_file_location("build_notebooks", SCRIPT)
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


build = load_build()
ALARM = next(phase for phase in PHASES if phase.key == "alarm")


def tagged(make, text, tag):
    return make(text, metadata={"tags": [tag]})


@pytest.fixture
def source():
    return build.Source(
        ALARM,
        (
            new_markdown_cell("A number that nobody looks at."),
            new_code_cell("lab = Lab.open()"),
            tagged(new_markdown_cell, "Ask who heard of alarms before.", "instructor"),
            tagged(new_markdown_cell, "## Try it\n\n**Every command.** List the alarms:", "exercise"),
            tagged(new_code_cell, "# cloudwatch.describe_alarms(...)", "exercise"),
            tagged(new_markdown_cell, "Which call lists them?", "hint"),
            tagged(new_markdown_cell, "Step 2 did so.", "hint"),
            tagged(new_code_cell, "cloudwatch.describe_alarms()", "solution"),
            tagged(new_markdown_cell, "All of them come in one answer.", "solution"),
            new_markdown_cell("## What was learnt\n\nThat it rings."),
        ),
    )


def text_of(notebook):
    return "\n".join(cell.source for cell in notebook.cells)


def test_nothing_that_is_built_is_stale():
    assert [path.name for path in build.stale()] == []


def test_the_learners_copy_has_neither_solutions_nor_hints_nor_notes(source):
    text = text_of(build.learner_copy(source))
    assert "# cloudwatch.describe_alarms(...)" in text
    for secret in ("\ncloudwatch.describe_alarms()", "Which call", "Step 2 did so", "heard of alarms", "one answer"):
        assert secret not in text


def test_hints_can_be_had_where_the_exercises_end(source):
    sources = [cell.source for cell in build.learner_copy(source).cells]
    assert sources[sources.index("# cloudwatch.describe_alarms(...)") + 2] == 'hints("alarm")'


def test_the_instructors_copy_has_everything_and_solutions_that_run(source):
    notebook = build.instructor_copy(source)
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    assert code == ["lab = Lab.open()", "# cloudwatch.describe_alarms(...)", "cloudwatch.describe_alarms()"]
    text = text_of(notebook)
    assert "> **For the instructor.** Ask who heard of alarms before." in text
    assert "> **Hint.** Which call lists them?" in text
    assert "> **Why.** All of them come in one answer." in text


def test_the_instructors_copy_links_from_where_it_lies(source):
    opening = build.instructor_copy(source).cells[0].source
    assert "(../../docs/glossary.md)" in opening
    assert 'src="../../notebooks/images/05_alarm.svg"' in opening


def test_exercises_become_data_for_the_hints(source):
    assert source.exercises == [
        {
            "task": "Every command",
            "hints": ["Which call lists them?", "Step 2 did so."],
            "solution": "cloudwatch.describe_alarms()",
            "because": "All of them come in one answer.",
        }
    ]


def test_title_card_and_navigation_come_from_the_table_of_phases(source):
    notebook = build.learner_copy(source)
    opening, end = notebook.cells[0].source, notebook.cells[-1].source
    assert opening.startswith("# 05 · Be told by e-mail\n\nA number that nobody looks at.")
    assert f"| **Goal** | {ALARM.goal} |" in opening
    assert f"| **Time** | {ALARM.minutes} minutes, and on AWS up to {ALARM.waiting} more of waiting |" in opening
    assert "[04 Metric filter](04_metric_filter.ipynb) · next: [06 Logs Insights](06_logs_insights.ipynb)" in opening
    assert end.endswith(f"**Next:** [06 Logs Insights](06_logs_insights.ipynb), {PHASES[5].teaser}")


def test_the_first_has_nothing_before_it_and_the_last_nothing_after():
    assert build.navigation(START).startswith("next: [01 ")
    assert "next:" not in build.navigation(PHASES[-1])


def test_ids_come_from_the_source_and_are_unique():
    cells = [
        new_markdown_cell("Now."),
        new_markdown_cell("Again:"),
        new_markdown_cell("Again:"),
        new_markdown_cell("x"),
    ]
    ids = [cell.id for cell in build.finished(cells, ALARM).cells]
    assert len(set(ids)) == 4
    assert ids[2] == f"{ids[1]}-2"


def test_outputs_stay_with_the_cells_that_did_not_change():
    def run(source, number):
        output = new_output("execute_result", {"text/plain": source}, execution_count=number)
        return new_code_cell(source, outputs=[output], execution_count=number)

    before = new_notebook(cells=[run("a", 1), run("b", 2), run("c", 3)])
    after = new_notebook(cells=[new_code_cell("new"), new_code_cell("c"), new_code_cell("a")])
    cells = build.with_outputs_of(after, before).cells
    assert [cell.execution_count for cell in cells] == [None, 2, 3]
    assert cells[0].outputs == []
    assert (cells[1].outputs[0].data["text/plain"], cells[1].outputs[0].execution_count) == ("c", 2)


def test_an_exercise_without_its_hints_is_refused(monkeypatch):
    notebook = new_notebook(cells=[tagged(new_markdown_cell, "**Goal only.** Do it.", "exercise")])
    monkeypatch.setattr(build.jupytext, "reads", lambda *_, **__: notebook)
    with pytest.raises(build.SourceError, match="'Goal only' has 0 hints; give it two"):
        build.read_source(ALARM)


def test_prices_come_from_the_one_table_of_prices_and_an_unknown_one_is_refused():
    table = build.with_prices("{price:records_to_cloudwatch} or {price:records_to_s3}", "02.md")
    known = prices(DEFAULT_REGION).usd
    assert [float(word) for word in re.findall(r"[\d.]+", table)] == [
        known["records_to_cloudwatch"],
        known["records_to_s3"],
    ]
    assert "$" not in table
    with pytest.raises(build.SourceError, match=r"02.md: there is no price 'gold'; .*alarm"):
        build.with_prices("{price:gold}", "02.md")
    sources = sorted((build.NOTEBOOKS / "source").glob("*.md"))
    typed = [path.name for path in sources if re.search(r"\d\.\d+ USD|\$\d", path.read_text("utf-8"))]
    assert typed == []


def test_a_changed_source_makes_its_notebook_stale_and_the_check_fail(monkeypatch, capsys):
    path = build.NOTEBOOKS / "05_alarm.ipynb"
    monkeypatch.setattr(build, "built", lambda: iter([(path, "{}\n")]))
    assert build.main(["--check"]) == 1
    assert "stale: notebooks/05_alarm.ipynb; run `make notebooks`" in capsys.readouterr().err


@pytest.mark.parametrize("phase", PHASES, ids=lambda phase: phase.key)
def test_the_picture_of_a_phase_lights_its_parts_and_no_other(phase):
    picture = build.picture(phase)
    parts = dict(re.findall(r'<g id="([a-z0-9-]+)"( opacity="[\d.]+")?>', picture))
    assert {name for name, dim in parts.items() if not dim} == set(phase.lit)
    assert phase.title in picture


def test_a_part_that_the_picture_does_not_have_is_refused(monkeypatch):
    monkeypatch.setattr(build, "heading", lambda _: "")
    strange = build.Phase(**{**vars(ALARM), "lit": ("moon",)})
    with pytest.raises(build.SourceError, match=r"lights \['moon'\] for alarm"):
        build.picture(strange)


def test_no_solution_stands_in_a_learners_notebook():
    """Every command of the first exercise is there, to be completed; of the others nothing is."""
    for phase in (START, *PHASES):
        text = Path(build.NOTEBOOKS / f"{phase.notebook}.ipynb").read_text("utf-8")
        sources = "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])
        for exercise in build.read_source(phase).exercises:
            if not exercise["task"].startswith(build.FADING[0]):
                assert exercise["solution"] not in sources, exercise["task"]

"""The quizzes of the notebooks: one right answer a question, feedback for every answer, a mind that may be changed."""

import re
from html.parser import HTMLParser

import pytest

from labkit.lab.settings import project_root
from labkit.lab.syllabus import PHASES, UnknownPhase
from labkit.show.quiz import Quiz, quiz

SOURCES = project_root() / "notebooks" / "source"
ASKED = {
    path.stem: key
    for path in sorted(SOURCES.glob("*.md"))
    for key in re.findall(r'^quiz\("([^"]+)"\)$', path.read_text("utf-8"), re.MULTILINE)
}
"""For each notebook the quiz that its source ends in."""
QUESTIONS = [
    pytest.param(question, id=f"{notebook}: {question.text[:40]}")
    for notebook, key in ASKED.items()
    for question in quiz(key).questions
]


class Folds(HTMLParser):
    """Reads a quiz off its page: for each fold its group, what it is called, and what is in it."""

    def __init__(self, page):
        super().__init__()
        self.folds = []
        self._inside = ""
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        if tag == "details":
            self.folds.append({"group": dict(attributes).get("name"), "open": "open" in dict(attributes)})
            self.folds[-1] |= {"summary": "", "inside": ""}
        self._inside = {"details": "inside", "summary": "summary"}.get(tag, self._inside)

    def handle_endtag(self, tag):
        if tag in ("summary", "details"):
            self._inside = "inside" if tag == "summary" else ""

    def handle_data(self, data):
        if self._inside:
            self.folds[-1][self._inside] += data


def folds_of(question):
    """What is on the page for this question alone."""
    return Folds(Quiz("alarm", (question,)).html()).folds


def test_every_phases_notebook_ends_in_its_quiz():
    assert {phase.notebook: phase.key for phase in PHASES} == ASKED


@pytest.mark.parametrize("key", ASKED.values())
def test_a_notebook_asks_three_questions_all_of_them_different(key):
    texts = [question.text for question in quiz(key).questions]
    assert len(texts) == len(set(texts)) == 3


@pytest.mark.parametrize("question", QUESTIONS)
class TestQuestion:
    def test_has_exactly_one_right_answer_among_three_or_four(self, question):
        assert [answer.right for answer in question.answers].count(True) == 1
        assert 3 <= len(question.answers) <= 4

    def test_is_a_question_and_its_answers_differ(self, question):
        assert question.text.endswith("?")
        texts = [answer.text for answer in question.answers]
        assert len(set(texts)) == len(texts)

    def test_has_feedback_of_its_own_for_every_answer_which_is_more_than_a_verdict(self, question):
        feedback = [answer.feedback for answer in question.answers]
        assert len(set(feedback)) == len(feedback)
        for text in feedback:
            assert text[-1] in ".?!)", text
            assert len(text.split()) >= 5, text
            assert not re.match(r"(?i)(right|wrong|correct|yes|no)[.,!:]", text), text

    def test_shows_for_each_answer_that_is_chosen_its_verdict_and_its_feedback(self, question):
        folds = folds_of(question)
        for fold, answer in zip(folds, question.answers, strict=True):
            assert fold["summary"] == answer.text
            assert fold["inside"] == f"{'Yes' if answer.right else 'No'}. {answer.feedback}"

    def test_lets_the_answer_be_changed_one_being_open_at_a_time(self, question):
        folds = folds_of(question)
        assert len({fold["group"] for fold in folds}) == 1
        assert folds[0]["group"]
        assert not any(fold["open"] for fold in folds)

    def test_gives_no_answer_away_before_one_is_chosen(self, question):
        summaries = " ".join(fold["summary"] for fold in folds_of(question))
        assert not re.search(r"\b(Yes|No)\. ", summaries)
        assert [answer.feedback for answer in question.answers if answer.feedback in summaries] == []

    def test_the_right_answer_is_not_told_by_its_length(self, question):
        lengths = {answer.text: len(answer.text) for answer in question.answers}
        right = next(answer.text for answer in question.answers if answer.right)
        others = [length for text, length in lengths.items() if text != right]
        assert lengths[right] <= 4 * max(others), "who reads nothing would choose it"


@pytest.mark.parametrize("key", ASKED.values())
def test_text_does_not_give_the_answers_away(key):
    text = quiz(key).text()
    for question in quiz(key).questions:
        assert question.text in text
        assert all(answer.text in text and answer.feedback not in text for answer in question.answers)


def test_text_numbers_the_questions_and_letters_the_answers():
    first = quiz("alarm").text().splitlines()
    assert first[0] == "Questions: " + quiz("alarm").title
    assert first[1].startswith("1. ")
    assert [line[:5] for line in first[2:5]] == ["   a)", "   b)", "   c)"]


def test_right_answers_stand_in_every_place():
    places = [
        [answer.right for answer in question.answers].index(True)
        for key in ASKED.values()
        for question in quiz(key).questions
    ]
    assert set(places) == {0, 1, 2}
    assert max(places.count(place) for place in set(places)) <= len(places) / 2


def test_questions_of_one_page_do_not_close_one_anothers_answers():
    groups = [fold["group"] for key in ASKED.values() for fold in Folds(quiz(key).html()).folds]
    assert len(set(groups)) == 3 * len(ASKED)


def test_html_unfolds_each_answer_to_its_feedback_and_escapes_it():
    html = quiz("traffic")._repr_html_()
    assert html.count("<details ") == sum(len(question.answers) for question in quiz("traffic").questions)
    assert "<strong>Yes. </strong>They drop in silence." in html
    assert 'ends in "timed out"' in html


def test_a_phase_is_found_by_its_number_too():
    assert isinstance(quiz(5), Quiz)
    assert quiz(5).title == quiz("alarm").title


def test_an_unknown_phase_is_named():
    with pytest.raises(UnknownPhase, match='no phase "tea"'):
        quiz("tea")

"""The quizzes: three questions a phase, one right answer each, feedback for every answer."""

import pytest

from labkit.phases import UnknownPhase
from labkit.show.quiz import Quiz, quiz

PHASES = ["flow log to S3", "flow log to CloudWatch", "traffic", "metric filter", "alarm", "Logs Insights"]
PHASES += ["Athena table", "clean up"]


@pytest.mark.parametrize("phase", PHASES)
class TestQuiz:
    def test_has_three_questions(self, phase):
        assert len(quiz(phase).questions) == 3

    def test_each_question_has_one_right_answer_among_several(self, phase):
        for question in quiz(phase).questions:
            assert [answer.right for answer in question.answers].count(True) == 1, question.text
            assert 2 <= len(question.answers) <= 4, question.text

    def test_every_answer_has_its_own_feedback(self, phase):
        feedback = [answer.feedback for question in quiz(phase).questions for answer in question.answers]
        assert all(feedback)
        assert len(set(feedback)) == len(feedback)

    def test_text_does_not_give_the_answers_away(self, phase):
        text = quiz(phase).text()
        for question in quiz(phase).questions:
            assert question.text in text
            assert all(answer.text in text and answer.feedback not in text for answer in question.answers)


def test_right_answers_stand_in_every_place():
    places = {
        [answer.right for answer in question.answers].index(True)
        for phase in PHASES
        for question in quiz(phase).questions
    }
    assert places == {0, 1, 2}


def test_html_unfolds_each_answer_to_its_feedback_and_escapes_it():
    html = quiz("traffic")._repr_html_()
    assert html.count("<details>") == sum(len(question.answers) for question in quiz("traffic").questions)
    assert "<strong>Yes. </strong>They drop in silence." in html
    assert 'ends in "timed out"' in html


def test_a_phase_is_found_by_its_number_too():
    assert isinstance(quiz(5), Quiz)
    assert quiz(5).title == quiz("alarm").title


def test_an_unknown_phase_is_named():
    with pytest.raises(UnknownPhase, match='no phase "tea"'):
        quiz("tea")

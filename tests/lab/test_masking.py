import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from labkit.lab import masking
from labkit.show.tables import Note


@pytest.fixture(autouse=True)
def nothing_hidden():
    masking.show_all()
    yield
    masking.show_all()


MASKED = [
    ("arn:aws:sns:eu-west-1:123456789012:topic", "arn:aws:sns:eu-west-1:ACCOUNT:topic"),
    ("AWSLogs/123456789012/x_123456789012_y", "AWSLogs/ACCOUNT/x_ACCOUNT_y"),
    ("2 123456789012 eni-1", "2 ACCOUNT eni-1"),
    ("1234567890123", "1234567890123"),
    ("to me@mycompany.io.", "to E-MAIL."),
    ("mailto:me@mycompany.io,you@mycompany.io", "mailto:E-MAIL,you@mycompany.io"),
    ("some@mycompany.io", "some@mycompany.io"),
    ("203.0.113.7:22 and 203.0.113.77", "ADDRESS:22 and 203.0.113.77"),
    ("9.203.0.113.7", "9.203.0.113.7"),
]


@pytest.mark.parametrize(("text", "shown"), MASKED)
def test_what_is_hidden_is_replaced_wherever_it_stands_alone(text, shown):
    masking.hide({"123456789012": "ACCOUNT", "me@mycompany.io": "E-MAIL", "203.0.113.7": "ADDRESS", "": "NOTHING"})
    assert masking.masked(text) == shown


def test_nothing_is_hidden_at_first():
    assert masking.masked("123456789012") == "123456789012"


def test_what_is_shown_is_masked_as_text_and_as_html():
    note = Note("account 123456789012 <b>")
    masking.hide({"123456789012": "ACCOUNT"})
    assert str(note) == repr(note) == "account ACCOUNT <b>"
    assert note._repr_html_() == "<p>account ACCOUNT &lt;b&gt;</p>"
    assert note.sentence == "account 123456789012 <b>"


def test_whatever_a_cell_shows_is_masked():
    shell = InteractiveShell.instance()
    try:
        masking.hide({"123456789012": "ACCOUNT"})
        masking.hide({"me@mycompany.io": "E-MAIL"})
        data, _ = shell.display_formatter.format({"id": "123456789012", "to": "me@mycompany.io"})
        assert data["text/plain"] == "{'id': 'ACCOUNT', 'to': 'E-MAIL'}"
        with capture_output() as shown:
            shell.run_cell("('123456789012',)")
        assert "ACCOUNT" in shown.stdout
    finally:
        InteractiveShell.clear_instance()


def test_what_a_cell_prints_and_the_errors_it_ends_in_are_masked_too():
    shell = InteractiveShell.instance()
    try:
        with capture_output() as shown:
            masking.hide({"123456789012": "ACCOUNT", "me@mycompany.io": "E-MAIL"})
            print("account 123456789012")
            shell.run_cell("raise ValueError('no mail for me@mycompany.io')")
        assert "account ACCOUNT" in shown.stdout
        assert "me@mycompany.io" not in shown.stdout
        assert "no mail for E-MAIL" in shown.stdout
    finally:
        InteractiveShell.clear_instance()


def test_the_message_that_a_notebook_keeps_of_an_error_is_masked():
    kept = []
    show = masking._masking_show(lambda *told: kept.append(told))
    masking.hide({"123456789012": "ACCOUNT"})
    show(ValueError, ValueError("arn:aws:iam::123456789012:user/x"), ["line 123456789012"])
    assert kept == [(ValueError, "arn:aws:iam::ACCOUNT:user/x", ["line ACCOUNT"])]

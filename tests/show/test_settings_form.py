import pytest

from labkit.lab import settings
from labkit.lab.cloud import AwsCloud
from labkit.lab.errors import LabError
from labkit.lab.settings import Settings
from labkit.show.settings_form import SettingsForm

VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def used(tmp_path, monkeypatch):
    """The settings that the form had the lab go over to."""
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    monkeypatch.delenv("LABKIT_CLOUD", raising=False)
    return []


def buckets_with(wanted: Settings) -> tuple[str, ...]:
    """Two in Ireland, none elsewhere."""
    return ("lab-vpcflowlogsbucket-1", "archive") if wanted.region == "eu-west-1" else ()


@pytest.fixture
def form(used):
    form = SettingsForm(Settings(), find_buckets=buckets_with, use=used.append)
    form.build()
    return form


def problem_beside(form, name):
    return form.messages[name].value


def test_without_widgets_the_settings_are_a_table(form):
    assert "Region   eu-west-1" in str(form)
    assert "lab-vpcflowlogsbucket-1" in str(form)
    assert "that you confirm" not in str(form)
    assert "<table>" in form.html()


def test_the_form_and_its_static_rendering_come_together(form):
    bundle = form._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", VIEW}
    assert bundle["text/plain"] == str(form)


def test_regions_are_chosen_by_name(form):
    assert ("eu-west-1 - Europe (Ireland)", "eu-west-1") in form.fields["region"].options


@pytest.mark.parametrize(
    ("name", "typed", "said"),
    [
        ("bucket", "My_Bucket", "capital letters"),
        ("bucket", "a", "has 1 characters"),
        ("email", "me", "has no @"),
        ("email", "<b>me</b>@", "&lt;b&gt;me"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field_as_one_types(form, name, typed, said):
    form.fields[name].value = typed
    assert "✗" in problem_beside(form, name)
    assert said in problem_beside(form, name)
    form.fields[name].value = {"bucket": "archive", "email": "me@mycompany.io"}[name]
    assert "✓" in problem_beside(form, name)


def test_the_buckets_that_were_found_are_offered_and_the_provided_one_stands_for_none(form):
    assert form.fields["bucket"].options == ("lab-vpcflowlogsbucket-1", "archive")
    assert form.fields["bucket"].placeholder == "lab-vpcflowlogsbucket-1"
    for chosen, said in (("archive", "✓ found"), ("", "✓ the provided one: lab-vpcflowlogsbucket-1")):
        form.fields["bucket"].value = chosen
        assert said in problem_beside(form, "bucket")


def test_a_bucket_that_was_not_found_may_be_typed_and_the_form_says_so(form, used):
    form.fields["bucket"].value = "somewhere-else"
    assert "? no bucket found in eu-west-1 is called so" in problem_beside(form, "bucket")
    assert "✓" not in problem_beside(form, "bucket")
    form.save()
    assert used[0].bucket == "somewhere-else"


def test_another_region_offers_its_own_buckets(form):
    form.fields["bucket"].value = "archive"
    form.fields["region"].value = "us-east-1"
    assert (form.fields["bucket"].options, form.fields["bucket"].placeholder) == ((), "")
    assert "no bucket found in us-east-1 is called so" in problem_beside(form, "bucket")
    form.fields["region"].value = "eu-west-1"
    assert "✓ found" in problem_beside(form, "bucket")


def test_saving_keeps_the_settings_and_has_the_lab_use_them(form, used):
    form.fields["region"].value = "us-east-1"
    form.fields["email"].value = " me@mycompany.io "
    form.save()
    wanted = Settings(region="us-east-1", email="me@mycompany.io")
    assert (used, settings.load(), form.current) == ([wanted], wanted, wanted)
    assert "Saved" in form.status.value


def test_what_is_wrong_is_not_saved(form, used):
    form.fields["email"].value = "me"
    form.save()
    assert "Not saved" in form.status.value
    assert (used, settings.load()) == ([], Settings())


def test_what_the_lab_cannot_use_is_not_saved_and_said_in_words(used):
    def refuse(_: Settings) -> None:
        raise LabError("The bucket 'other' of the settings isn't there.")

    form = SettingsForm(Settings(), use=refuse)
    form.build()
    form.fields["bucket"].value = "other"
    form.save()
    assert "Not saved: The bucket &#x27;other&#x27;" in form.status.value.replace("'", "&#x27;")
    assert settings.load() == Settings()


def test_aws_shows_whose_the_credentials_are_and_asks_to_confirm(form, used, monkeypatch):
    monkeypatch.setattr(AwsCloud, "identity", staticmethod(lambda region: "123456789012 (my-lab)"))
    account_row = form.widget.children[list(form.fields).index("aws_account")]
    assert account_row.layout.display == "none"
    form.fields["cloud"].value = "aws"
    assert account_row.layout.display == ""
    assert "123456789012 (my-lab)" in problem_beside(form, "aws_account")
    form.fields["aws_account"].value = "123456789012"
    form.fields["email"].value = "me@mycompany.io"
    form.save()
    assert (used[0].cloud, used[0].aws_account) == ("aws", "123456789012")


def test_an_address_that_nobody_reads_is_refused_as_soon_as_the_cloud_is_aws(form, monkeypatch):
    monkeypatch.setattr(AwsCloud, "identity", staticmethod(lambda region: "123456789012"))
    form.fields["email"].value = "me@example.org"
    assert "✓" in problem_beside(form, "email")
    form.fields["cloud"].value = "aws"
    assert "nobody reads mail at me@example.org" in problem_beside(form, "email")
    form.fields["cloud"].value = "sandbox"
    assert "✓" in problem_beside(form, "email")


def test_without_credentials_choosing_aws_says_so_in_the_form(form, monkeypatch):
    def none(region: str) -> str:
        raise LabError("No AWS credentials were found.")

    monkeypatch.setattr(AwsCloud, "identity", staticmethod(none))
    form.fields["cloud"].value = "aws"
    assert "No AWS credentials were found." in form.status.value

import os
import stat
from pathlib import Path

import pytest

from labkit.lab import settings
from labkit.lab.settings import DEFAULT_EMAIL, Settings, SettingsError


@pytest.fixture(autouse=True)
def labkit_home(tmp_path, monkeypatch):
    monkeypatch.delenv("LABKIT_CLOUD", raising=False)
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


GOOD = {
    "cloud": ["sandbox", "aws"],
    "region": ["eu-west-1", "us-east-1", "ap-southeast-2", "il-central-1"],
    "bucket": ["", "abc", "my-vpcflowlogsbucket-1", "a.b.c", "1bucket", "x" * 63],
    "email": ["a@b.co", "first.last+tag@sub.example.com", "o'neil@example.org", "x@xn--bcher-kva.example"],
    "aws_account": ["", "123456789012"],
}
BAD = {
    "cloud": {"AWS": "no cloud", "gcp": "'sandbox' or 'aws'", "": "no cloud"},
    "region": {
        "eu-west-9": "did you mean eu-west-",
        "Ireland": "no AWS region",
        "": "no AWS region",
        "eu_west_1": "did you mean eu-west-1?",
        "us-gov-west-1": "no AWS region",
    },
    "bucket": {
        "ab": "has 2 characters",
        "x" * 64: "has 64 characters",
        "MyBucket": "capital letters ('M', 'B')",
        "my_bucket": "'_'",
        "bücket": "'ü'",
        "my bucket": "' '",
        "-bucket": "begins and ends",
        "bucket.": "begins and ends",
        "my..bucket": "two dots",
        "192.0.2.10": "IP address",
        "xn--bucket": "start is reserved",
        "sthree-bucket": "'sthree-'",
        "amzn-s3-demo-bucket": "reserved",
        "bucket-s3alias": "end is reserved",
        "bucket--ol-s3": "reserved",
        "bucket.mrap": "reserved",
        "bucket--x-s3": "reserved",
        "s3://bucket": "':'",
    },
    "email": {
        "": "is needed",
        "me": "has no @",
        "me@": "no e-mail address",
        "@example.com": "no e-mail address",
        "me@localhost": "no domain",
        "me@exa mple.com": "no e-mail address",
        "me@@example.com": "no e-mail address",
        "a..b@example.com": "no e-mail address",
        "me@-example.com": "no domain",
        "me@example.c": "no domain",
        "<b>@example.com": "no e-mail address",
        "x" * 250 + "@example.com": "no e-mail address",
    },
    "aws_account": {"12345": "12 digits", "1234-5678-9012": "12 digits"},
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in GOOD.items() for value in values])
def test_a_good_value_has_no_problem(name, value):
    assert settings.problem(name, value) == ""


@pytest.mark.parametrize(
    ("name", "value", "said"), [(name, value, said) for name, cases in BAD.items() for value, said in cases.items()]
)
def test_a_bad_value_is_refused_in_words(name, value, said):
    assert said in settings.problem(name, value)
    with pytest.raises(SettingsError) as caught:
        Settings.parse({name: value})
    assert list(caught.value.problems) == [name]


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(SettingsError) as caught:
        Settings.parse({"region": "nowhere", "bucket": "A", "email": "me", "colour": "red"})
    assert set(caught.value.problems) == {"region", "bucket", "email", "colour"}
    assert "Fill in the form of notebook 00" in str(caught.value)


def test_spaces_around_a_value_are_not_part_of_it():
    assert Settings.parse({"region": " us-east-1 ", "email": "\tme@example.com\n"}).region == "us-east-1"


def test_the_defaults_are_the_sandbox_in_ireland():
    assert settings.load() == Settings("sandbox", "eu-west-1", "", DEFAULT_EMAIL, "")


def test_on_aws_an_example_address_is_refused():
    with pytest.raises(SettingsError, match="nobody reads mail at learner@"):
        Settings.parse({"cloud": "aws"})
    assert Settings.parse({"cloud": "aws", "email": "me@mycompany.io"}).cloud == "aws"


def test_what_is_saved_is_loaded_again():
    kept = Settings("sandbox", "us-east-1", "my-bucket", 'quo"te@example.com'.replace('"', "'"), "")
    settings.save(kept)
    assert settings.load() == kept


def test_a_change_keeps_the_rest():
    settings.save(Settings(region="us-east-1"))
    assert settings.change(bucket="my-bucket") == Settings(region="us-east-1", bucket="my-bucket")
    assert settings.load().bucket == "my-bucket"


def test_a_refused_change_changes_nothing():
    settings.save(Settings(bucket="my-bucket"))
    with pytest.raises(SettingsError):
        settings.change(bucket="My Bucket")
    assert settings.load().bucket == "my-bucket"


def test_the_file_and_its_directory_are_the_users_alone(labkit_home):
    settings.save(Settings())
    assert stat.S_IMODE(labkit_home.stat().st_mode) == 0o700
    assert stat.S_IMODE((labkit_home / "settings.toml").stat().st_mode) == 0o600
    assert [path.name for path in labkit_home.iterdir()] == ["settings.toml"]


def test_a_home_that_others_could_read_is_closed(labkit_home):
    labkit_home.mkdir(mode=0o755)
    settings.home()
    assert stat.S_IMODE(labkit_home.stat().st_mode) == 0o700


@pytest.mark.parametrize("content", [b"region = ", b"\xff\xfe", b"= = =", b"[region"])
def test_a_file_that_cannot_be_understood_says_how_to_go_on(labkit_home, content):
    settings.home()
    (labkit_home / "settings.toml").write_bytes(content)
    with pytest.raises(SettingsError, match="Delete home/settings"):
        settings.load()


def test_a_stale_file_names_the_setting_that_is_wrong(labkit_home):
    settings.home()
    (labkit_home / "settings.toml").write_text('region = "mars-1"\n')
    with pytest.raises(SettingsError, match="region: 'mars-1' is no AWS region"):
        settings.load()


def test_the_environment_goes_before_the_file(monkeypatch):
    settings.save(Settings(cloud="sandbox", email="me@mycompany.io"))
    monkeypatch.setenv("LABKIT_CLOUD", "aws")
    assert settings.load().cloud == "aws"
    monkeypatch.setenv("LABKIT_CLOUD", "azure")
    with pytest.raises(SettingsError, match="LABKIT_CLOUD: 'azure' is no cloud"):
        settings.load()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_home_that_cannot_be_made_is_said_so(tmp_path, monkeypatch):
    tmp_path.chmod(0o500)
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "no"))
    with pytest.raises(SettingsError, match="LABKIT_HOME"):
        settings.home()


def test_a_home_that_is_a_file_is_said_so(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "file"))
    with pytest.raises(SettingsError, match="Set LABKIT_HOME to a directory"):
        settings.home()


def test_the_working_tree_is_found_from_anywhere(monkeypatch, tmp_path):
    root = Path(settings.__file__).parent.parent
    (root / "notebooks").is_dir() or pytest.skip("no notebooks in this tree")
    monkeypatch.chdir(tmp_path)
    assert settings.project_root() == root


def test_regions_have_names():
    assert settings.regions()["eu-west-1"] == "Europe (Ireland)"
    assert "cn-north-1" not in settings.regions()

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.flowlog.fields import BY_NAME, FIELDS
from labkit.flowlog.formats import DEFAULT_FORMAT, LogFormat, LogFormatError

DEFAULT = (
    "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${packets} "
    "${bytes} ${start} ${end} ${action} ${log-status}"
)


def test_the_default_format_is_the_one_aws_documents():
    assert str(DEFAULT_FORMAT) == DEFAULT
    assert DEFAULT_FORMAT.version == 2
    assert DEFAULT_FORMAT.header == (
        "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action "
        "log-status"
    )


def test_a_custom_format_keeps_the_order_given():
    log_format = LogFormat.parse("${dstport} ${srcaddr} ${version}")
    assert log_format.names == ("dstport", "srcaddr", "version")
    assert str(log_format) == "${dstport} ${srcaddr} ${version}"


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("${srcaddr}", 2),
        ("${srcaddr} ${vpc-id}", 3),
        ("${region} ${vpc-id}", 4),
        ("${version} ${traffic-path} ${az-id}", 5),
        ("${ecs-task-id} ${srcaddr}", 7),
        ("${reject-reason}", 8),
        ("${resource-id} ${reject-reason}", 9),
        ("${encryption-status} ${version}", 10),
        ("${interface-type} ${encryption-status}", 11),
    ],
)
def test_the_version_is_the_highest_among_the_fields(text, version):
    assert LogFormat.parse(text).version == version


@pytest.mark.parametrize(
    "text",
    [
        "",
        "srcaddr dstaddr",
        "${srcaddr},${dstaddr}",
        "${srcaddr}  ${dstaddr}",
        "${srcaddr} ",
        " ${srcaddr}",
        "${srcaddr}${dstaddr}",
        "${}",
        "${srcaddr\n}",
        "${srcaddr}\n",
        "${src addr}",
        "$${srcaddr}",
        "'${srcaddr}'",
    ],
)
def test_a_text_that_is_no_format_is_refused_as_aws_refuses_it(text):
    with pytest.raises(LogFormatError) as refusal:
        LogFormat.parse(text)
    assert str(refusal.value) == f"1 validation error detected: Value '{text}' at 'logFormat' has an invalid format"


def test_fields_that_aws_does_not_document_are_named():
    with pytest.raises(LogFormatError, match=r"Unknown fields provided in LogFormat: src-addr, SRCPORT$"):
        LogFormat.parse("${src-addr} ${dstaddr} ${SRCPORT}")


def test_a_repeated_field_is_two_places_in_the_text_and_one_column():
    log_format = LogFormat.parse("${srcaddr} ${bytes} ${srcaddr}")
    assert log_format.columns == ("srcaddr", "bytes", "srcaddr")
    assert log_format.schema.names == ["srcaddr", "bytes"]


@given(st.lists(st.sampled_from(FIELDS), min_size=1, max_size=20))
def test_a_format_is_read_as_it_was_written_and_keeps_its_fields(fields):
    log_format = LogFormat(tuple(fields))
    assert LogFormat.parse(str(log_format)) == log_format == LogFormat.of(log_format.names)
    assert log_format.header.split(" ") == [field.name for field in fields]
    assert log_format.version == max(field.version for field in fields)
    assert log_format.schema.names == list(dict.fromkeys(field.column for field in fields))


def test_all_fields_of_version_5_are_the_format_that_security_guides_recommend():
    """As awslabs' security analytics bootstrap has it: versions 2 to 5, in the order of the documentation."""
    log_format = LogFormat(tuple(field for field in FIELDS if field.version <= 5))
    assert log_format.version == 5
    assert len(log_format.fields) == 29
    assert log_format.names[-4:] == ("pkt-src-aws-service", "pkt-dst-aws-service", "flow-direction", "traffic-path")


def test_the_default_format_can_not_be_told_from_its_fields_named_one_by_one():
    assert LogFormat.parse(str(DEFAULT_FORMAT)) == DEFAULT_FORMAT
    assert LogFormat.parse(f"{DEFAULT_FORMAT} ${{vpc-id}}") != DEFAULT_FORMAT


def test_a_format_s_columns_have_the_types_that_the_guide_gives_their_fields():
    schema = LogFormat.parse("${srcaddr} ${srcport} ${bytes} ${tcp-flags} ${encryption-status}").schema
    assert [str(field.type) for field in schema] == ["string", "int32", "int64", "int32", "int32"]


@pytest.mark.parametrize(
    "name", ["tgw-id", "resource-type", "tgw-src-vpc-id", "packets-lost-no-route", "account_id", "Bytes"]
)
def test_a_field_of_another_kind_of_flow_log_or_spelling_is_none_of_a_vpc_s(name):
    assert name not in BY_NAME
    with pytest.raises(LogFormatError, match=f"Unknown fields provided in LogFormat: {name}$"):
        LogFormat.parse(f"${{srcaddr}} ${{{name}}}")


def test_formats_that_show_other_tags_are_not_the_same():
    fields = LogFormat.parse("${instance-tag}").fields
    assert LogFormat(fields, (("instance-tag", "Name"),)) != LogFormat(fields, (("instance-tag", "stage"),))
    assert str(LogFormat(fields, (("instance-tag", "Name"),))) == "${instance-tag}"

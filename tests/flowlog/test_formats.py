import pytest

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

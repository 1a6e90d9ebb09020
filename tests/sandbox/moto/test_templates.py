import json

import pytest

from labkit.sandbox.moto import templates

TOPIC = "Resources: {T: {Type: 'AWS::SNS::Topic'}}"


def read(yaml: str):
    return templates.read(f"{yaml}\n{TOPIC}")


@pytest.mark.parametrize(
    ("yaml", "value"),
    [
        ("!Ref A", {"Ref": "A"}),
        ("!Condition A", {"Condition": "A"}),
        ("!GetAtt A.B.C", {"Fn::GetAtt": ["A", "B.C"]}),
        ("!GetAtt [A, B]", {"Fn::GetAtt": ["A", "B"]}),
        ("{Fn::GetAtt: A.B}", {"Fn::GetAtt": ["A", "B"]}),
        ("!Sub ['${A}', {A: !Ref B}]", {"Fn::Sub": ["${A}", {"A": {"Ref": "B"}}]}),
        ("!Join [',', [!Ref A, !If [C, !Ref D, e]]]",
         {"Fn::Join": [",", [{"Ref": "A"}, {"Fn::If": ["C", {"Ref": "D"}, "e"]}]]}),
        ("!Transform {Name: A, Parameters: {B: c}}", {"Fn::Transform": {"Name": "A", "Parameters": {"B": "c"}}}),
        ("!Sub 012", {"Fn::Sub": "012"}),
        ("2010-09-09", "2010-09-09"),
        ("2010-09-09T10:00:00Z", "2010-09-09T10:00:00Z"),
        ("012", 10),
        ("yes", True),
        ("1.5", 1.5),
        (".inf", ".inf"),
        ("=", "="),
        ("!!str 12", "12"),
    ],
)  # fmt: skip
def test_values_are_read_as_cloudformation_reads_them(yaml, value):
    assert read(f"Metadata: {{M: {yaml}}}")["Metadata"] == {"M": value}


def test_the_last_of_two_equal_keys_counts():
    assert read("Description: a\nDescription: b")["Description"] == "b"
    assert templates.read('{"Description": "a", "Description": "b", "Resources": {"T": {"Type": "A"}}}')[
        "Description"
    ] == ("b")


def test_a_template_in_json_is_read():
    template = {"Resources": {"T": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Ref": "AWS::StackName"}}}}}
    assert templates.read(f"\n {json.dumps(template, indent=1)}") == template


REFUSED = {
    "Metadata: !!python/object/apply:os.system ['true']":
        "Template format error: YAML not well-formed. (line 1, column 11)",
    "Metadata: !!python/name:os.system": "Template format error: YAML not well-formed. (line 1, column 11)",
    "Metadata: !!binary aGk=": "Template format error: YAML not well-formed. (line 1, column 11)",
    "Metadata: !Unknown a": "Template format error: YAML not well-formed. (line 1, column 11)",
    "Metadata: {a: &a [1], b: *a}": "Template error: YAML aliases are not allowed in CloudFormation templates",
    "Metadata: {<<: {a: b}}": "Template format error: [/Metadata] hash merges are not supported",
    "Metadata: {a: [1, {2: b}]}":
        "Template format error: [/Metadata/a/1] map keys must be strings; received numeric [2] instead",
    "Metadata: {? {a: b} : c}":
        "Template format error: [/Metadata] map keys must be strings; received a map instead",
    "Metadata: {? !Sub a : c}":
        "Template format error: [/Metadata] map keys must be strings; received a map instead",
    "Metadata: {a: }": "[/Metadata/a] 'null' values are not allowed in templates",
    "Metadata: [a": "Template format error: YAML not well-formed. (line 2, column 10)",
    "Metadata: \x00": "Template format error: YAML not well-formed. (line 1, column 1)",
    f"Metadata: {'9' * 5000}": "Template format error: YAML not well-formed. (line 1, column 1)",
    f"Metadata: {'[' * 2000}{']' * 2000}": "Template format error: YAML not well-formed. (line 1, column 110)",
    "Metadata: [a]": "Template format error: Metadata must be an object.",
    "Outputs: {A: b}": "Template format error: Any Outputs member must be an object.",
    "Outputs: {A: {Description: b}}": "Template format error: Every Outputs member must contain a Value object",
    "Parameters: {A: {Default: b}}": "Template format error: Every Parameters object must contain a Type member.",
    f"Description: {'a' * 1025}": "Template format error: 'Description' length is greater than 1024.",
}  # fmt: skip


@pytest.mark.parametrize("yaml", REFUSED)
def test_what_cloudformation_refuses_is_refused_in_its_words(yaml):
    with pytest.raises(templates.TemplateError) as caught:
        read(yaml)
    assert str(caught.value) == REFUSED[yaml]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Template format error: unsupported structure."),
        ("a text", "Template format error: unsupported structure."),
        ("[a]", "Template format error: unsupported structure."),
        ("--- {a: b}\n--- {c: d}", "Template format error: YAML not well-formed. (line 2, column 1)"),
        ("[" * 2000 + "]" * 2000, "Template format error: YAML not well-formed. (line 1, column 101)"),
        ("{" * 2000, "Template format error: JSON not well-formed. (line 1, column 101)"),
        ('{"Resources": }', "Template format error: JSON not well-formed. (line 1, column 15)"),
        ('{"Resources": NaN}', "Template format error: JSON not well-formed. (line 1, column 1)"),
        ("Description: a", "Template format error: At least one Resources member must be defined."),
        ("Resources: {}", "Template format error: At least one Resources member must be defined."),
        ("Resources: {A: b}", "Template format error: Any Resources member must be an object."),
        ("Resources: {A-b: {Type: C}}", "Template format error: Resource name A-b is non alphanumeric."),
        ("Resources: {A: {B: c}}",
         "Template format error: [/Resources/A] Every Resources object must contain a Type member."),
        ("Resources: {" + ",".join(f"A{i}: {{Type: B}}" for i in range(501)) + "}",
         "Template format error: Number of resources, 501, is greater than maximum allowed, 500"),
        ("#" * 1_000_001, "Template may not exceed 1000000 bytes in size."),
        ("A: \ud800", "Template format error: YAML not well-formed. (line 1, column 1)"),
    ],
)  # fmt: skip
def test_what_is_no_template_is_refused(text, message):
    with pytest.raises(templates.TemplateError) as caught:
        templates.read(text)
    assert str(caught.value) == message

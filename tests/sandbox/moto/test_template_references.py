import pytest

from labkit.sandbox.moto import template_references, templates

T = "Type: 'AWS::SNS::Topic'"


def topic(value: str) -> str:
    return f"Resources: {{T: {{{T}, Properties: {{DisplayName: {value}}}}}}}"


UNRESOLVED = "Template format error: Unresolved resource dependencies [{}] in the {} block of the template"
REFUSED = {
    topic("!Ref Nil"): UNRESOLVED.format("Nil", "Resources"),
    topic("!Sub 'a ${Nil} ${AWS::Region} ${!Literal}'"): UNRESOLVED.format("Nil", "Resources"),
    topic("!Ref AWS::Nil"): UNRESOLVED.format("AWS::Nil", "Resources"),
    f"Resources: {{T: {{{T}, DependsOn: [Nil]}}}}": UNRESOLVED.format("Nil", "Resources"),
    f"Resources: {{T: {{{T}}}}}\nOutputs: {{O: {{Value: !Ref Nil}}}}": UNRESOLVED.format("Nil", "Outputs"),
    topic("!GetAtt Nil.Arn"): "Template error: instance of Fn::GetAtt references undefined resource Nil",
    topic("!Sub '${Nil.Arn}'"): "Template error: instance of Fn::GetAtt references undefined resource Nil",
    topic("!Ref T"): "Circular dependency between resources: [T]",
    f"Resources: {{A: {{{T}, DependsOn: B}}, B: {{{T}, DependsOn: [A]}}, C: {{{T}}}}}":
        "Circular dependency between resources: [A, B]",
    f"Resources: {{A: {{{T}, Properties: {{DisplayName: !Sub '${{B.TopicName}}'}}}}, B: {{{T}, DependsOn: A}}}}":
        "Circular dependency between resources: [A, B]",
    f"Resources: {{T: {{{T}, Condition: Nil}}}}":
        "Template format error: Unresolved condition dependency Nil in the Resources block of the template",
    topic("!If [Nil, a, b]"):
        "Template format error: Unresolved condition dependency Nil in the Resources block of the template",
    f"Conditions: {{C: !Not [!Condition D], D: !Not [!Condition C]}}\n{topic('a')}":
        "Template error: Found circular condition dependency between C and D",
    f"Conditions: {{C: !Equals [!Ref T, a]}}\n{topic('a')}":
        "Template format error: Unresolved dependencies [T]. Cannot reference resources in the Conditions block of "
        "the template",
    f"Conditions: {{C: !Equals [1]}}\n{topic('a')}":
        "Template error: every Fn::Equals object requires a list of 2 string parameters.",
    f"Conditions: {{C: a}}\n{topic('a')}":
        "Template format error: Conditions can only be boolean operations on parameters",
    topic("!Select [9, [a]]"): "Template error: Fn::Select cannot select nonexistent value at index 9",
    topic("!Select [-1, [a]]"):
        "Template error: Fn::Select requires a list argument with two elements: an integer index and a list",
    topic(f"!Select ['{'9' * 5000}', [a]]"):
        "Template error: Fn::Select requires a list argument with two elements: an integer index and a list",
    topic("!FindInMap [M, a, b]"): "Template error: Mapping named 'M' is not present in the 'Mappings' section of "
        "template.",
    topic("!Sub '${a b}'"):
        "Template error: variable names in Fn::Sub syntax must contain only alphanumeric characters, underscores, "
        "periods, and colons",
    topic("!Ref [T]"): "Template format error: every Ref object must have a single String value.",
}  # fmt: skip


@pytest.mark.parametrize("text", REFUSED, ids=range(len(REFUSED)))
def test_a_template_whose_parts_do_not_fit_is_refused_in_aws_s_words(text):
    with pytest.raises(templates.TemplateError) as caught:
        templates.read(text)
    assert str(caught.value) == REFUSED[text]


@pytest.mark.parametrize("function", sorted(template_references._RULES))
@pytest.mark.parametrize("argument", ["{}", "[]", "[[]]", "1", "{a: b}"])
def test_no_function_takes_arguments_of_another_kind(function, argument):
    with pytest.raises(templates.TemplateError):
        templates.read(topic(f"{{'{function}': {argument}}}"))


def test_what_fits_is_taken():
    text = """
    Parameters: {P: {Type: String}}
    Mappings: {M: {a: {b: c}}}
    Conditions: {C: !Equals [!Ref P, a], D: !And [!Condition C, !Not [!Condition C]]}
    Resources:
      A: {Type: 'AWS::SNS::Topic', Condition: D, DependsOn: B}
      B:
        Type: AWS::SNS::Topic
        Properties:
          TopicName: !If [C, !Join ['-', [!Ref P, !Sub '${P}${AWS::Region}']], !FindInMap [M, !Ref P, b]]
          DisplayName: !Sub ['${x}${E.Arn}', {x: !Select [0, !GetAZs '']}]
      E: {Type: 'AWS::SQS::Queue', Properties: {QueueName: !If [C, !Ref 'AWS::NoValue', x]}}
    Outputs: {O: {Condition: C, Value: !GetAtt B.TopicName}}
    """
    assert sorted(templates.read(text)["Resources"]) == ["A", "B", "E"]

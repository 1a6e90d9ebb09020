import pytest

from labkit.sandbox.logs.insights import tree
from labkit.sandbox.logs.insights.builder import field_path, glob_regex, plain_groups, unquoted
from labkit.sandbox.logs.insights.parser import parse
from labkit.sandbox.logs.insights.tree import QueryError

COMMANDS = [
    ('filter action="REJECT" | stats count(*) as n by srcAddr | sort n desc | limit 20', "filter stats sort limit"),
    ("| fields @message", "fields"),
    ("FIELDS a | FILTER a > 1 | STATS count() BY bin(5m)", "fields filter stats"),
    ("where a = 1 | filterIndex b = 2", "filter filter"),
    ("head 5", "limit"),
    ("tail 5", "limit"),
    ("# what for\nfields a # and this\n  # a line\n| limit 1", "fields limit"),
    ('parse @message "user=*" as user | parse user /(?<a>.)/ | dedup a, user | limit 3', "parse parse dedup limit"),
    ("fields jsonParse(a) as b | unnest b into c | display c", "fields unnest display"),
    ("pattern @message | diff previousWeek", "pattern diff"),
    ("fields a\n\n|\n\nlimit 1", "fields limit"),
]


@pytest.mark.parametrize(("query", "names"), COMMANDS)
def test_a_query_is_its_commands_in_order(query, names):
    assert [command.name for command in parse(query).commands] == names.split()


NAMES = [
    ("count(*)", "count(*)"),
    ("count()", "count()"),
    ("avg (f1)", "avg(f1)"),
    ("pct( @duration , 95 )", "pct(@duration, 95)"),
    ("bin(5m)", "bin(5m)"),
    ("`detail-type`", "detail-type"),
    ("a.b.0.c", "a.b.0.c"),
    ("sum(x) /1024\n /1024", "sum(x) /1024 /1024"),
    ("(a + b)", "a + b"),
    ("(a + b) * (c - d)", "(a + b) * (c - d)"),
    ("f1 - f2", "f1 - f2"),
]


@pytest.mark.parametrize(("expression", "name"), NAMES)
def test_a_column_without_alias_is_named_by_its_expression(expression, name):
    (command,) = parse(f"stats {expression}").commands
    assert [item.name for item in command.items] == [name]


def test_an_alias_may_be_backquoted_and_has_an_at_sign():
    (command,) = parse("fields a as `my-alias`, b as @t").commands
    assert [(item.name, item.aliased) for item in command.items] == [("my-alias", True), ("@t", True)]


SHAPES = [
    ("a + b * c", "(a + (b * c))"),
    ("a - b - c", "((a - b) - c)"),
    ("2 ^ 3 ^ 2", "(2.0 ^ (3.0 ^ 2.0))"),
    ("-a ^ 2", "-(a ^ 2.0)"),
    ("a % 2 = 1", "((a % 2.0) = 1.0)"),
    ("not a = 1 and b = 2 or c = 3", "((not (a = 1.0) and (b = 2.0)) or (c = 3.0))"),
    ("a not like 'x' and b like /y/", "(not (a like 'x') and (b like /y/))"),
    ("a =~ /x\\/y/", "(a like /x\\/y/)"),
    ("a not in [1, 'x']", "not (a in 1.0, 'x')"),
    ("a in[1]", "(a in 1.0)"),
    ("a in []", "(a in )"),
    ("limit like like", "(limit like like)"),
    ("bin(300s)", "bin(300s)"),
]


def shape(node):
    match node:
        case tree.Binary():
            return f"({shape(node.left)} {node.operator} {shape(node.right)})"
        case tree.Logic():
            return "(" + f" {node.operator} ".join(map(shape, node.operands)) + ")"
        case tree.Not():
            return f"not {shape(node.operand)}"
        case tree.Negative():
            return f"-{shape(node.operand)}"
        case tree.Like():
            return f"({shape(node.operand)} like {shape(node.pattern)})"
        case tree.In():
            return f"({shape(node.operand)} in {', '.join(map(shape, node.items))})"
        case tree.Field():
            return node.name
        case tree.Text():
            return repr(node.value)
        case tree.Number():
            return str(node.value)
        case tree.Regex():
            return f"/{node.pattern}/"
        case tree.Period():
            return f"{node.count}{node.unit}"
        case tree.Call():
            return f"{node.name}({', '.join(map(shape, node.arguments))})"
    raise AssertionError(node)


@pytest.mark.parametrize(("text", "expected"), SHAPES)
def test_operators_bind_as_in_arithmetic(text, expected):
    (command,) = parse(f"filter {text}").commands
    assert shape(command.condition) == expected


ERRORS = [
    ("", "unexpected symbol found <EOF> at line 1 and position 1", (0, 0)),
    ("fields", "unexpected symbol found <EOF> at line 1 and position 7", (6, 6)),
    ("fields a |", "unexpected symbol found <EOF> at line 1 and position 11", (10, 10)),
    ("foo bar", "unexpected symbol found foo at line 1 and position 1", (0, 3)),
    ("fields a\n| filter a ==", "unexpected symbol found = at line 2 and position 13", (21, 22)),
    ("fields a | stats", "unexpected symbol found <EOF> at line 1 and position 17", (16, 16)),
    ("filter a = 'x", "unexpected symbol found ' at line 1 and position 12", (11, 12)),
    ("fields a b", "unexpected symbol found b at line 1 and position 10", (9, 10)),
    ("limit 0", "unexpected symbol found 0 at line 1 and position 7", (6, 7)),
    ("limit 1.5", "unexpected symbol found 1.5 at line 1 and position 7", (6, 9)),
    ("sort a upward", "unexpected symbol found upward at line 1 and position 8", (7, 13)),
    ("fields a; limit 1", "unexpected symbol found ; at line 1 and position 9", (8, 9)),
    ("fields a | fields 1e999", "unexpected symbol found 1e999 at line 1 and position 19", (18, 23)),
    ("fields a\0", "unexpected symbol found \0 at line 1 and position 9", (8, 9)),
    ("fields a | anomaly", "anomaly: the sandbox does not have this command, see docs/sandbox.md", (11, 18)),
    (
        "SOURCE logGroups(tag: ['a'])",
        "SOURCE: unknown keyword tag, known are namePrefix, accountIdentifiers, accountIdentifier, class, "
        "logGroupClass",
        (0, 28),
    ),
    ("autoregress a p=3-1", "autoregress: p=3-1 must be a range within 1 to 100", (14, 19)),
    ("fields a | ANOMALY a", "anomaly: the sandbox does not have this command, see docs/sandbox.md", (11, 18)),
    ('parse @message "[*] *" as a', 'parse: the pattern "[*] *" has 2 wildcards (*), but 1 fields follow as', (15, 22)),
    ("parse @message /x/", "parse: the pattern /x/ names no group: write (?<name>...)", (15, 18)),
]


@pytest.mark.parametrize(("query", "message", "span"), ERRORS)
def test_an_error_names_the_symbol_and_its_place(query, message, span):
    with pytest.raises(QueryError) as caught:
        parse(query)
    assert caught.value.message == message
    assert caught.value.span == span


def test_parentheses_may_be_nested_but_not_without_bounds():
    assert len(parse(f"fields {'(' * 99}a{')' * 99}").commands) == 1
    with pytest.raises(QueryError, match=r"unexpected symbol found \( at line 1"):
        parse(f"fields {'(' * 5000}a{')' * 5000}")


@pytest.mark.parametrize(
    ("token", "path"),
    [
        ("a", ("a",)),
        ("a.b.0.c", ("a", "b", "0", "c")),
        ("`a-b`", ("a-b",)),
        ("a.`b.c`[2]", ("a", "b.c", "2")),
        ("@message", ("@message",)),
    ],
)
def test_a_name_is_a_path(token, path):
    assert field_path(token) == path


@pytest.mark.parametrize(
    ("token", "value"), [("'a'", "a"), (r'"a\"b"', 'a"b'), (r'"a\\b"', "a\\b"), (r'"\d"', r"\d"), (r'"a\nb"', "a\nb")]
)
def test_only_real_escapes_are_taken_out_of_strings(token, value):
    assert unquoted(token) == value


@pytest.mark.parametrize(
    ("glob", "wildcards", "regex"),
    [
        ("[*] *", 2, r"(?s)\[(.*?)\]\ (.*)$"),
        ("a=*;", 1, "(?s)a=(.*?);"),
        ("*", 1, "(?s)(.*)$"),
        ("a.b", 0, r"(?s)a\.b"),
    ],
)
def test_a_glob_takes_as_little_as_it_can_but_for_its_end(glob, wildcards, regex):
    assert glob_regex(glob, wildcards) == regex


GROUPS = [
    (r"(?<a>x)(?:y)\(?<z>(?P<b>.)", r"(x)(?:y)\(?<z>(.)", ("a", "b")),
    (r"(x)(?<a>y)", r"(?:x)(y)", ("a",)),
    (r"(x)(y)", r"(x)(y)", ()),
    (r"[(](?<a>y)[]()]", r"[(](y)[]()]", ("a",)),
    (r"(?i)(?<a>y)", r"(?i)(y)", ("a",)),
]


@pytest.mark.parametrize(("pattern", "plain", "names"), GROUPS)
def test_named_groups_become_plain_ones(pattern, plain, names):
    assert plain_groups(pattern) == (plain, names)

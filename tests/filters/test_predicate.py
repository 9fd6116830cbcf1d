"""Examples of filter semantics: operators on each type, missing values, paths, errors and specialization."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from scimkit import GROUP, USER, ResourceType, filters
from scimkit.errors import InvalidFilter
from scimkit.filters.ast import OPERATORS, Comparison, Present, Value
from scimkit.filters.comparisons import comparison_value, is_present, refuse_value, value_test
from scimkit.filters.parser import parse
from scimkit.filters.predicate import ElementScope, comparable, compile_element_filter, compile_filter, resolve
from scimkit.filters.type_specialization import specialize
from scimkit.schema.attributes import Attribute, AttributePath
from scimkit.schema.date_times import parse_instant
from tests.resource_types import DEVICE, LEASE_SCHEMA

LEASE = LEASE_SCHEMA["id"]
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

ADA: dict[str, Any] = {
    "schemas": [USER.schema, ENTERPRISE],
    "id": "A1",
    "userName": "Ada",
    "externalId": "Ext-1",
    "name": {"familyName": "O'Malley", "givenName": "Ada"},
    "title": "Tour Guide",
    "userType": "Employee",
    "active": True,
    "profileUrl": "https://example.org/Ada",
    "emails": [
        {"value": "ada@example.com", "type": "work", "primary": True},
        {"value": "ada@home.example.org", "type": "home"},
    ],
    "ims": [{"value": "ada@foo.com", "type": "xmpp"}],
    "x509Certificates": [{"value": "QUJD"}],
    "meta": {"resourceType": "User", "lastModified": "2011-05-13T04:42:34Z", "version": 'W/"1"'},
    ENTERPRISE: {"department": "Tours", "manager": {"value": "26118915", "displayName": "John"}},
}

DISK: dict[str, Any] = {
    "schemas": [DEVICE.schema, LEASE],
    "serial": "Sn-1",
    "label": "Straße",
    "ports": 7,
    "weight": 1.5,
    "bought": "2020-02-29T10:00:00Z",
    "rented": False,
    "key": "QUJD",
    "tags": ["Red", "blue"],
    "readings": [1, 2.5],
    "site": {"city": "Wien", "floors": [1, 3]},
    "parts": [
        {"value": "P1", "type": "disk", "size": 3, "colors": ["red", "green"]},
        {"value": "P2", "size": 5},
    ],
    "owner": {"value": "u1", "displayName": "Ada"},
    LEASE: {
        "until": "2030-01-01T00:00:00+02:00",
        "contacts": [{"value": "Eve"}, {"primary": True}],
        "terms": {"text": "None"},
    },
}


def ada(text: str, document: dict[str, Any] = ADA) -> bool:
    """Report whether the user Ada matches a filter."""
    return compile_filter(parse(text), USER)(document)


def disk(text: str, document: dict[str, Any] = DISK) -> bool:
    """Report whether the device matches a filter."""
    return compile_filter(parse(text), DEVICE)(document)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('userName Eq "ada"', True),
        ('userName eq "bjensen"', False),
        ('name.familyName co "O\'Malley"', True),
        ('userName sw "a"', True),
        ('userName sw "J"', False),
        ('urn:ietf:params:scim:schemas:core:2.0:User:userName sw "A"', True),
        ("title pr", True),
        ("nickName pr", False),
        ('meta.lastModified gt "2011-05-13T04:42:34Z"', False),
        ('meta.lastModified ge "2011-05-13T04:42:34Z"', True),
        ('meta.lastModified lt "2011-05-13T04:42:34Z"', False),
        ('meta.lastModified le "2011-05-13T04:42:34Z"', True),
        ('title pr and userType eq "Employee"', True),
        ('title pr and userType eq "Intern"', False),
        ('title pr or userType eq "Intern"', True),
        (f'schemas eq "{ENTERPRISE}"', True),
        ('schemas eq "urn:other"', False),
        ('userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")', True),
        ('userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")', False),
        ('userType ne "Intern" and not (emails co "example.net" or emails.value co "example.edu")', True),
        ('userType eq "Employee" and (emails.type eq "work")', True),
        ('userType eq "Employee" and emails[type eq "work" and value co "@example.com"]', True),
        ('emails[type eq "home" and value co "@example.com"]', False),
        ('emails.type eq "home" and emails.value co "@example.com"', True),
        ('emails[type eq "work" and value co "@x"] or ims[type eq "xmpp" and value co "@foo.com"]', True),
        ('emails[type eq "work" and value co "@x"] or ims[type eq "aim" and value co "@foo.com"]', False),
    ],
)
def test_rfc_examples(text: str, expected: bool) -> None:
    """The filters of RFC 7644 section 3.4.2.2, figure 2, select a user as the RFC explains them."""
    assert ada(text) is expected


@pytest.mark.parametrize(
    ("attribute", "operator", "true", "false"),
    [
        ("label", "eq", ['"STRASSE"', '"straße"'], ['"stra"', "null"]),
        ("label", "ne", ['"stra"', "null"], ['"STRASSE"', '"straße"']),
        ("label", "co", ['"ASS"', '""', '"STRASSE"', '"ß"'], ['"z"']),
        ("label", "sw", ['"STR"', '"strass"'], ['"t"']),
        ("label", "ew", ['"SSE"', '"E"'], ['"s"', '"str"']),
        ("label", "gt", ['"STRASSA"', '"a"'], ['"STRASSE"', '"t"']),
        ("label", "ge", ['"STRASSA"', '"STRASSE"'], ['"t"']),
        ("label", "lt", ['"t"', '"STRASSF"'], ['"STRASSE"', '"a"']),
        ("label", "le", ['"t"', '"STRASSE"'], ['"STRASSA"', '"a"']),
        ("serial", "eq", ['"Sn-1"'], ['"sn-1"', '"Sn"', "null"]),
        ("serial", "ne", ['"sn-1"', "null"], ['"Sn-1"']),
        ("serial", "co", ['"n-"'], ['"N-"', '"s"']),
        ("serial", "sw", ['"Sn"'], ['"sn"', '"n"', '"1"']),
        ("serial", "ew", ['"n-1"'], ['"N-1"', '"S"']),
        ("serial", "gt", ['"SN-1"'], ['"Sn-1"', '"sn-1"']),
        ("serial", "ge", ['"SN-1"', '"Sn-1"'], ['"sn-1"']),
        ("serial", "lt", ['"sn-1"'], ['"Sn-1"', '"SN-1"']),
        ("serial", "le", ['"sn-1"', '"Sn-1"'], ['"SN-1"']),
        ("ports", "eq", ["7", "7.0"], ["8", "null"]),
        ("ports", "ne", ["8", "7.5", "null"], ["7"]),
        ("ports", "gt", ["6", "6.5"], ["7", "8"]),
        ("ports", "ge", ["6", "7"], ["7.5", "8"]),
        ("ports", "lt", ["8", "7.5"], ["7", "6"]),
        ("ports", "le", ["8", "7"], ["6.5", "6"]),
        ("weight", "eq", ["1.5", "15e-1"], ["1", "null"]),
        ("weight", "ne", ["1", "null"], ["1.5"]),
        ("weight", "gt", ["1", "1.25"], ["1.5", "2"]),
        ("weight", "ge", ["1", "1.5"], ["2"]),
        ("weight", "lt", ["2", "1.75"], ["1.5", "1"]),
        ("weight", "le", ["2", "1.5"], ["1"]),
        ("bought", "eq", ['"2020-02-29T10:00:00Z"', '"2020-02-29T12:00:00.000+02:00"'], ['"2020-02-29T10:00:01Z"']),
        ("bought", "ne", ['"2020-02-29T10:00:01Z"', "null"], ['"2020-02-29T11:00:00+01:00"']),
        ("bought", "gt", ['"2020-02-29T10:30:00+01:00"'], ['"2020-02-29T10:00:00Z"', '"2020-02-29T10:00:00.1Z"']),
        ("bought", "ge", ['"2020-02-29T11:00:00+01:00"'], ['"2020-02-29T09:30:00-01:00"']),
        ("bought", "lt", ['"2020-02-29T09:30:00-01:00"'], ['"2020-02-29T10:00:00Z"', '"2020-02-29T10:30:00+01:00"']),
        ("bought", "le", ['"2020-02-29T10:00:00Z"'], ['"2020-02-29T10:30:00+01:00"']),
        ("bought", "co", ['"02-29T"'], ['"02-29t"', '"03"']),
        ("bought", "sw", ['"2020-02"'], ['"02"']),
        ("bought", "ew", ['"00Z"'], ['"00z"', '"2020"']),
        ("rented", "eq", ["false"], ["true", "null"]),
        ("rented", "ne", ["true", "null"], ["false"]),
        ("key", "eq", ['"QUJD"'], ['"qujd"', "null"]),
        ("key", "ne", ['"qujd"', "null"], ['"QUJD"']),
        ("key", "co", ['"UJ"'], ['"uj"']),
        ("key", "sw", ['"QU"'], ['"qu"', '"D"']),
        ("key", "ew", ['"JD"'], ['"jd"', '"Q"']),
    ],
)
def test_operators_on_types(attribute: str, operator: str, true: list[str], false: list[str]) -> None:
    """Strings compare according to `caseExact`, dateTimes as instants, and numbers by value."""
    for value in true:
        assert disk(f"{attribute} {operator} {value}") is True, value
    for value in false:
        assert disk(f"{attribute} {operator} {value}") is False, value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('profileUrl eq "https://example.org/Ada"', True),
        ('profileUrl eq "https://example.org/ada"', False),
        ('profileUrl ne "https://example.org/ada"', True),
        ('profileUrl co "org/A"', True),
        ('profileUrl co "org/a"', False),
        ('profileUrl sw "https:"', True),
        ('profileUrl sw "HTTPS:"', False),
        ('profileUrl ew "Ada"', True),
        ('profileUrl ew "ada"', False),
        ('profileUrl gt "https://example.org/Ac"', True),
        ('profileUrl lt "https://example.org/ada"', True),
        ('profileUrl le "https://example.org/Aca"', False),
    ],
)
@pytest.mark.rfc("7643-2.3.7-1")
def test_references_are_exact_text(text: str, expected: bool) -> None:
    """References compare as case-sensitive text, and `gt` and `lt` apply to them."""
    assert ada(text) is expected


@pytest.mark.parametrize("attribute", ["label", "serial", "ports", "weight", "bought", "rented", "key", "tags"])
def test_no_value_compares_as_null(attribute: str) -> None:
    """For an attribute without a value, `ne` with a value and `eq null` hold. Nothing else holds."""
    documents: tuple[dict[str, Any], ...] = ({}, {attribute: None}, *([{attribute: []}] if attribute == "tags" else []))
    values = ['"x"', "null", "true", "7", '"2020-02-29T10:00:00Z"']
    for operator, value in itertools.product(sorted(OPERATORS), values):
        try:
            predicate = filters.parse(f"{attribute} {operator} {value}").compile(DEVICE)
        except InvalidFilter:
            continue  # the filter is refused for every document
        expected = (operator == "eq") if value == "null" else (operator == "ne")
        for document in documents:
            assert predicate(document) is expected, (operator, value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('tags eq "red"', True),
        ('tags eq "BLUE"', True),
        ('tags eq "green"', False),
        ('tags ne "red"', True),
        ('tags co "LU"', True),
        ("tags pr", True),
        ("tags eq null", False),
        ("tags ne null", True),
        ("readings gt 2", True),
        ("readings gt 2.5", False),
        ("readings lt 1", False),
        ('site.city eq "wien"', True),
        ("site.floors eq 3", True),
        ("site.floors eq 2", False),
        ("site.floors pr", True),
        ("site pr", True),
        ("site.opened pr", False),
        ("site.opened eq null", True),
        ("parts.size eq 5", True),
        ("parts.size eq 4", False),
        ("parts.size gt 5", False),
        ('parts.type ne "disk"', True),
        ("parts.type eq null", True),
        ("parts.value eq null", False),
        ('parts.colors eq "GREEN"', True),
        ('parts.colors eq "blue"', False),
        ("parts.colors eq null", True),
        ("parts.colors pr", True),
        ("parts.batch pr", False),
        ('parts eq "P1"', True),
        ('parts eq "p1"', False),
        ('owner eq "u1"', True),
        ('owner.value sw "u"', True),
        ("owner pr", True),
        (f'{LEASE}:until eq "2029-12-31T22:00:00Z"', True),
        (f'{LEASE}:until gt "2029-12-31T22:00:00Z"', False),
        (f'{LEASE}:contacts eq "eve"', True),
        (f'{LEASE}:contacts.value eq "bob"', False),
        (f"{LEASE}:contacts.primary eq true", True),
        (f'{LEASE}:terms.text eq "none"', True),
        (f"{LEASE}:terms pr", True),
        (f"{LEASE} pr", True),
        (f'{LEASE}:contacts[value eq "eve"]', True),
        (f'{LEASE}:contacts[value eq "eve" and primary eq true]', False),
        (f'{LEASE}:terms[text eq "none"]', True),
        (f'{LEASE}:terms[text eq "some"]', False),
        ('site[city eq "wien" and floors eq 3]', True),
        ('site[city eq "graz"]', False),
        ('owner[value eq "u1"]', True),
        ("parts[size gt 4]", True),
        ('parts[size gt 4 and type eq "disk"]', False),
        ('parts[size lt 4 and type eq "disk" and colors eq "red"]', True),
        ("parts[not (type pr)]", True),
        ("not (parts[type pr])", False),
        ("parts[batch pr]", False),
    ],
)
@pytest.mark.rfc("7644-3.4.2.2-6")
def test_paths(text: str, expected: bool) -> None:
    """Paths reach sub-attributes, elements and extensions. A value path needs one element that matches completely."""
    assert disk(text) is expected


@pytest.mark.parametrize(
    "text",
    ["tags pr", 'tags eq "x"', "site.city pr", "site.floors pr", "parts.size gt 0", "parts[size gt 0]", "site[city pr]",
     f"{LEASE}:until pr", f'{LEASE}:contacts eq "x"', f"{LEASE}:contacts[value pr]", f"{LEASE}:terms[text pr]",
     "parts[not (size pr)]", "parts.colors pr", f"{LEASE}:terms.text pr",],
)  # fmt: skip
def test_paths_without_a_value_do_not_match(text: str) -> None:
    """A path without a value does not match, and neither does a value path without elements."""
    for document in (
        {},
        {"tags": [], "parts": []},
        {"site": {}, LEASE: {}},
        {"site": None, "parts": None, LEASE: None},
    ):
        assert disk(text, document) is False


@pytest.mark.parametrize(
    "text",
    ['tags ne "x"', "tags eq null", 'site.city ne "x"', "site.floors eq null", "parts.size ne 1", "parts.size eq null",
     'parts.colors ne "x"', f"{LEASE}:until eq null", f'{LEASE}:contacts.value ne "x"', 'parts ne "x"',
     f"{LEASE}:terms.text eq null"],
)  # fmt: skip
def test_paths_without_a_value_compare_as_null(text: str) -> None:
    """A path compares as null if the value is missing at any level of the path."""
    for document in (
        {},
        {"tags": [], "parts": []},
        {"site": {}, LEASE: {}},
        {"site": None, "parts": None, LEASE: None},
    ):
        assert disk(text, document) is True


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, False), ("", False), ([], False), ({}, False), (0, True), (False, True), (0.0, True), (" ", True),
     ([None], True), ({"a": None}, True)],
)  # fmt: skip
@pytest.mark.rfc("7644-3.4.2.2-12")
def test_presence(value: Any, expected: bool) -> None:
    """`pr` holds for values that are not null and not empty. Zero and false count as values."""
    assert is_present(value) is expected


@pytest.mark.parametrize("values", list(itertools.product([True, False], repeat=3)))
def test_logic(values: tuple[bool, bool, bool]) -> None:
    """`and`, `or` and `not` with two or three operands follow the truth tables."""
    a, b, c = values
    document = {"title": "x" if a else None, "nickName": "x" if b else None, "locale": "x" if c else None}
    assert ada("title pr and nickName pr", document) is (a and b)
    assert ada("title pr or nickName pr", document) is (a or b)
    assert ada("title pr and nickName pr and locale pr", document) is (a and b and c)
    assert ada("title pr or nickName pr or locale pr", document) is (a or b or c)
    assert ada("title pr and nickName pr or locale pr", document) is ((a and b) or c)
    assert ada("title pr and not (nickName pr or locale pr)", document) is (a and not (b or c))


UNKNOWN = "The filter names an attribute that this endpoint does not have."
REFUSED: dict[str, str] = {
    "nosuch pr": UNKNOWN,
    "label.nosuch pr": UNKNOWN,
    "urn:x:other:label pr": UNKNOWN,
    "nosuch[value pr]": UNKNOWN,
    "parts[nosuch pr]": UNKNOWN,
    "parts[parts.value pr]": UNKNOWN,
    "tags[type pr]": UNKNOWN,
    "label pr and nosuch pr": UNKNOWN,
    "nosuch pr or label pr": UNKNOWN,
    "not (nosuch pr)": UNKNOWN,
    "pin pr": "pin cannot be filtered.",
    'PIN eq "1"': "pin cannot be filtered.",
    "owner.$ref pr": "owner.$ref cannot be filtered.",
    "owner[$ref pr]": "owner.$ref cannot be filtered.",
    "meta.location pr": "meta.location cannot be filtered.",
    'site eq "x"': "site is complex; name one of its sub-attributes.",
    f'{LEASE} eq "x"': f"{LEASE} is complex; name one of its sub-attributes.",
    f'{LEASE}:terms co "x"': f"{LEASE}:terms is complex; name one of its sub-attributes.",
    "parts.size[value gt 1]": "parts.size cannot have a filter in brackets.",
    'site.city[value eq "x"]': "site.city cannot have a filter in brackets.",
    "rented gt true": "The operator gt does not apply to rented.",
    "rented ge true": "The operator ge does not apply to rented.",
    "rented lt true": "The operator lt does not apply to rented.",
    "rented le true": "The operator le does not apply to rented.",
    'key gt "QUJD"': "The operator gt does not apply to key.",
    'key le "QUJD"': "The operator le does not apply to key.",
    "rented co true": "The operator co does not apply to rented.",
    'rented sw "t"': "The operator sw does not apply to rented.",
    "ports co 7": "The operator co does not apply to ports.",
    'ports ew "7"': "The operator ew does not apply to ports.",
    'weight sw "1"': "The operator sw does not apply to weight.",
    'parts.size co "1"': "The operator co does not apply to parts.size.",
    "label gt null": "The operator gt does not apply to null.",
    "label co null": "The operator co does not apply to null.",
    "ports le null": "The operator le does not apply to null.",
    "rented sw null": "The operator sw does not apply to null.",
    "label eq 7": "The value compared with label is not a string.",
    "label eq true": "The value compared with label is not a string.",
    "label co 7": "The value compared with label is not a string.",
    "key eq 7": "The value compared with key is not a binary.",
    "key co true": "The value compared with key is not a binary.",
    "schemas eq 7": "The value compared with schemas is not a reference.",
    'rented eq "true"': "The value compared with rented is not a boolean.",
    "rented eq 1": "The value compared with rented is not a boolean.",
    'ports eq "7"': "The value compared with ports is not a number.",
    "ports gt true": "The value compared with ports is not a number.",
    "ports lt 1e999": "The value compared with ports is not a number.",
    'weight eq "1.5"': "The value compared with weight is not a number.",
    "weight ne false": "The value compared with weight is not a number.",
    'bought eq "2020-02-29"': "The value compared with bought is not a date and time.",
    'bought gt "yesterday"': "The value compared with bought is not a date and time.",
    "bought eq 2020": "The value compared with bought is not a date and time.",
    "bought co 2020": "The value compared with bought is not a date and time.",
    "site.opened eq true": "The value compared with site.opened is not a date and time.",
    f"{LEASE}:until eq 1": f"The value compared with {LEASE}:until is not a date and time.",
    'tags[value eq "x"]': "tags cannot have a filter in brackets.",
    "readings[value eq 1]": "readings cannot have a filter in brackets.",
    'label[value eq "x"]': "label cannot have a filter in brackets.",
}  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_refused(text: str) -> None:
    """A path, operator or constant that does not fit the schema is refused without a document."""
    wanted = filters.Filter(parse(text))
    for attempt in (wanted.check, wanted.compile):
        with pytest.raises(InvalidFilter) as caught:
            attempt(DEVICE)
        assert caught.value.detail == REFUSED[text]


@pytest.mark.parametrize(
    "text", ["label pr", 'label eq "x"', "label ne null", 'parts co "x"', "parts[size gt 1]", 'not (label eq "x")']
)
def test_checked(text: str) -> None:
    """`check` accepts every filter that can be compiled."""
    filters.Filter(parse(text)).check(DEVICE)


@pytest.mark.parametrize(
    ("text", "path", "key"),
    [
        ('LABEL eq "X"', "label", "x"),
        ('parts eq "X"', "parts.value", "X"),
        (f'{LEASE}:until eq "2020-01-01T01:00:00+01:00"', f"{LEASE}:until", parse_instant("2020-01-01T00:00:00Z")),
        ("readings eq 1.0", "readings", 1),
    ],
)
def test_equality(text: str, path: str, key: object) -> None:
    """`equality` returns the path and the key of a filter that is a single `eq` comparison."""
    wanted = filters.Filter(parse(text))
    for _ in range(2):
        found = wanted.equality(DEVICE)
        assert found is not None
        assert (found[0].text, found[1]) == (path, key)


@pytest.mark.parametrize("text", ["bought eq 2020", 'nothing eq "x"', 'site eq "x"'])
def test_refused_equality(text: str) -> None:
    """`equality` refuses a filter that does not fit the schema."""
    with pytest.raises(InvalidFilter):
        filters.Filter(parse(text)).equality(DEVICE)


@pytest.mark.parametrize("text", ['label ne "x"', "label eq null", "label pr", 'label eq "x" or label eq "y"'])
def test_no_equality(text: str) -> None:
    """`equality` returns None for every other filter."""
    assert filters.Filter(parse(text)).equality(DEVICE) is None


def test_check_of_one_comparison_is_cached() -> None:
    """`check` does not compile a single comparison, and `equality` uses the result of `check`."""
    wanted = filters.parse('displayName eq "X"', filters.parser.RefusingFilterHandler())
    wanted.check(USER)
    found = wanted.equality(USER)
    assert found is not None
    assert wanted.equality(USER) is found
    assert not wanted._predicates


def test_equality_of_another_type() -> None:
    """`equality` returns the attribute of the given resource type, also after a call with another type."""
    wanted = filters.parse('displayName eq "X"')
    for each in (USER, GROUP, USER):
        found = wanted.equality(each)
        assert found is not None
        assert found[0].attribute is each.attributes["displayName"]


@pytest.mark.parametrize("text", ["seal pr", "seal.key pr", "seal[key pr]", "door.key pr", "door[key pr]"])
@pytest.mark.rfc("7643-7-7")
def test_what_is_never_returned_cannot_be_filtered(text: str) -> None:
    """A filter on an attribute that is never returned is refused (RFC 7643 section 7)."""
    key = {"name": "key", "type": "string"}
    badge = ResourceType({"id": "urn:example:Badge", "name": "Badge", "attributes": [
        {"name": "seal", "type": "complex", "returned": "never", "subAttributes": [key]},
        {"name": "door", "type": "complex", "subAttributes": [{**key, "returned": "never"}]},
    ]})  # fmt: skip
    with pytest.raises(InvalidFilter, match=r"^(seal|seal\.key|door\.key) cannot be filtered\.$"):
        compile_filter(parse(text), badge)


def test_complex_attribute_of_an_extension() -> None:
    """A complex attribute inside an extension, such as `manager`, compares by its sub-attributes only."""
    assert ada(f'{ENTERPRISE}:manager.value eq "26118915"') is True
    assert ada(f'{ENTERPRISE}:manager eq "26118915"') is True
    assert ada(f'{ENTERPRISE}:manager[value eq "26118915" and displayName eq "john"]') is True
    manager = USER.attributes[ENTERPRISE].children["manager"]
    path = AttributePath(USER.attributes[ENTERPRISE], manager)
    with pytest.raises(InvalidFilter, match=r"manager is complex; name one of its sub-attributes\.$"):
        comparable(path)


def test_comparable_keeps_the_extension() -> None:
    """A complex attribute of an extension compares by its sub-attribute `value`."""
    path = DEVICE.resolve(f"{LEASE}:contacts")
    assert path is not None
    found = comparable(path)
    assert found.names == (LEASE, "contacts", "value")
    plain = DEVICE.resolve("label")
    assert plain is not None
    assert comparable(plain) is plain


def test_resolve_gives_the_path() -> None:
    """`resolve` returns the path that a filter names, in any case."""
    assert resolve("PARTS.SIZE", DEVICE).text == "parts.size"
    assert resolve("SIZE", ElementScope(DEVICE.attributes["parts"])).text == "parts.size"


class Asked:
    """A coercion that records its calls and returns a fixed value."""

    def __init__(self, answer: Value) -> None:
        self.answer = answer
        self.questions: list[tuple[str, Value]] = []

    def __call__(self, attribute: Attribute, value: Value) -> Value:
        self.questions.append((attribute.path, value))
        return self.answer


@pytest.mark.parametrize(
    ("text", "answer", "path", "value"),
    [
        ('rented eq "False"', False, "rented", "False"),
        ('ports eq "7"', 7, "ports", "7"),
        ("label eq 7", "strasse", "label", 7),
        ("label co 7", "TRASS", "label", 7),
        ("serial co 7", "n-", "serial", 7),
        ("bought eq 1", "2020-02-29T11:00:00+01:00", "bought", 1),
        ('site[floors eq "3"]', 3, "site.floors", "3"),
        ('parts[size eq "3"]', 3, "parts.size", "3"),
        ('not (rented eq "x")', True, "rented", "x"),
        ('rented eq "x" and label pr', False, "rented", "x"),
        ('notes pr or rented eq "x"', False, "rented", "x"),
    ],
)
def test_coercion(text: str, answer: Value, path: str, value: Value) -> None:
    """The coercion is called once for each constant of another type, and its result is compared."""
    asked = Asked(answer)
    assert compile_filter(parse(text), DEVICE, asked)(DISK) is True
    assert asked.questions == [(path, value)]


@pytest.mark.parametrize("answer", ["7", None, 1.5, float("inf")])
def test_coercion_that_does_not_fit(answer: Value) -> None:
    """A filter is refused if the coercion returns a value that is not of the attribute's type."""
    with pytest.raises(InvalidFilter) as caught:
        compile_filter(parse('rented eq "x"'), DEVICE, Asked(answer))
    assert caught.value.detail == "The value compared with rented is not a boolean."


@pytest.mark.parametrize("answer", [7, None, True])
def test_coercion_that_gives_no_text(answer: Value) -> None:
    """A filter with `co`, `sw` or `ew` is refused if the coercion does not return a string."""
    with pytest.raises(InvalidFilter) as caught:
        compile_filter(parse("label co 7"), DEVICE, Asked(answer))
    assert caught.value.detail == "The value compared with label is not a string."


def test_coercion_is_not_asked_when_the_value_fits() -> None:
    """The coercion is not called for null and for constants of the right type."""
    asked = Asked("nothing")
    for text in ('label eq "x"', 'label co "x"', "label eq null", "ports gt 1.5", "rented eq true"):
        compile_filter(parse(text), DEVICE, asked)
    assert asked.questions == []


def test_refuse_value() -> None:
    """The default coercion refuses the constant."""
    with pytest.raises(InvalidFilter, match=r"^The value compared with ports is not a number\.$"):
        refuse_value(DEVICE.attributes["ports"], "x")


@pytest.mark.parametrize(
    ("path", "operator", "value", "key"),
    [
        ("label", "eq", "STRASSE", "strasse"),
        ("label", "co", "SSE", "sse"),
        ("label", "lt", "SSE", "sse"),
        ("serial", "eq", "Sn", "Sn"),
        ("serial", "co", "Sn", "Sn"),
        ("bought", "co", "T1", "T1"),
        ("key", "sw", "QU", "QU"),
        ("ports", "eq", 7, 7),
        ("ports", "eq", None, None),
        ("bought", "gt", "0001-01-01T00:00:01Z", (86401, "")),
    ],
)
def test_comparison_value(path: str, operator: Any, value: Value, key: object) -> None:
    """`comparison_value` returns a case-folded string, an instant, or the unchanged constant."""
    assert comparison_value(DEVICE.attributes[path], Comparison(path, operator, value)) == key


def test_defaults_refuse() -> None:
    """Without a coercion, every function of the module refuses constants of another type."""
    attribute, node = DEVICE.attributes["ports"], Comparison("ports", "eq", "x")
    for attempt in (
        lambda: comparison_value(attribute, node),
        lambda: value_test(attribute, node),
        lambda: compile_element_filter(DEVICE.attributes["parts"], Comparison("size", "eq", "x")),
        lambda: compile_filter(node, DEVICE),
    ):
        with pytest.raises(InvalidFilter):
            attempt()


def test_element_filter_of_plain_values() -> None:
    """In a value path on an attribute that is not complex, `value` names the element."""
    test = compile_element_filter(DEVICE.attributes["tags"], parse('value eq "RED"'))
    assert test("red") is True
    assert test("blue") is False
    test = compile_element_filter(DEVICE.attributes["parts"], parse("size gt 3"))
    assert test({"size": 4}) is True
    assert test({}) is False


NARROWED: dict[str, Any] = {
    "displayName pr": "displayName pr",
    "userName pr": False,
    'userName eq "x"': False,
    'userName ne "x"': True,
    "userName eq null": True,
    "userName ne null": False,
    'userName co "x"': False,
    "active gt 1": False,
    'emails[type eq "work"]': False,
    "not (userName pr)": True,
    'not (userName ne "x")': False,
    "not (displayName pr)": "not (displayName pr)",
    "displayName pr and userName pr": False,
    "userName pr and displayName pr": False,
    'displayName pr and userName ne "x"': "displayName pr",
    'displayName pr and userName ne "x" and externalId pr': "displayName pr and externalId pr",
    'active ne true and userName ne "x"': True,
    "displayName pr or userName pr": "displayName pr",
    'displayName pr or userName ne "x"': True,
    'userName ne "x" or displayName pr': True,
    "userName pr or title pr": False,
    "displayName pr or title pr or externalId pr": "displayName pr or externalId pr",
    "displayName pr and (title pr or externalId pr and id pr)": "displayName pr and externalId pr and id pr",
    "displayName pr and not (title pr)": "displayName pr",
    "not (displayName pr and title pr)": True,
    "not (displayName pr or title pr)": "not (displayName pr)",
    "members.value pr": "members.value pr",
    "members.type pr or name.familyName pr": "members.type pr",
}


@pytest.mark.parametrize("text", NARROWED)
def test_specialization(text: str) -> None:
    """An attribute that the resource type does not define has no value (RFC 7644 section 3.4.2.1)."""
    narrowed = specialize(parse(text), GROUP)
    expected = NARROWED[text]
    if isinstance(expected, bool):
        assert narrowed is expected
    else:
        assert narrowed == parse(expected)


def test_specialization_keeps_known_attributes() -> None:
    """A node is returned unchanged if the resource type defines its attribute."""
    node = Present("displayName")
    assert specialize(node, GROUP) is node

"""Tests of reading and writing JSON, with `orjson` and without, compared with a simple reader."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic_core import to_json

from scimkit import documents
from scimkit.documents import MAX_DEPTH, parse_json, write_json
from scimkit.errors import InvalidSyntax


@pytest.fixture(params=["orjson", "pydantic_core"], autouse=True)
def writer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[object], bytes]:
    """Return the function that writes JSON, once with `orjson` and once without."""
    if request.param == "orjson":
        pytest.importorskip("orjson")
    else:
        monkeypatch.setitem(sys.modules, "orjson", None)
    write = documents._writer()
    assert (write is to_json) is (request.param == "pydantic_core")
    monkeypatch.setattr(documents, "_write", write)
    return write


def read_simply(body: bytes) -> Any:
    """Return the value of a JSON body, read with the standard library.

    Raises:
        ValueError: The body must be refused.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            raise ValueError("repeated name")
        return dict(pairs)

    def refused(name: str) -> None:
        raise ValueError(name)

    text = body.decode().removeprefix("\ufeff")
    value = json.loads(text, object_pairs_hook=unique, parse_constant=refused)
    for each, depth in walk(value, 1):
        if depth > MAX_DEPTH and isinstance(each, dict | list):
            raise ValueError("too deep")
        if isinstance(each, str):
            each.encode()
            if "\0" in each:
                raise ValueError("NUL")
    return value


def walk(value: Any, depth: int) -> Iterator[tuple[Any, int]]:
    """Yield every value and name of a JSON value, with its nesting level."""
    yield value, depth
    inner = value if isinstance(value, list) else [*value, *value.values()] if isinstance(value, dict) else []
    for each in inner:
        yield from walk(each, depth + 1)


SPACE = st.sampled_from(["", "", "", " ", "\n\t", "\r\n  "])
STRINGS = st.text(max_size=8) | st.sampled_from(['":', ":", "a:b", '"', "\\", "\\u003a", "é", "urn:a:b", "\0", "{["])
NAMES = st.sampled_from(["a", "b", "a:", "urn:x:y", "é", ""])


@st.composite
def string_texts(draw: st.DrawFn, strings: st.SearchStrategy[str]) -> str:
    """Generate a JSON string. Characters outside ASCII or colons may be escaped."""
    text = json.dumps(draw(strings), ensure_ascii=draw(st.booleans()))
    return text.replace(":", "\\u003a") if draw(st.integers(0, 9)) == 0 else text


NUMBERS = (
    st.integers().map(str)
    | st.floats(allow_nan=False, allow_infinity=False).map(repr)
    | st.sampled_from(["1e999", "-0", "-0.0", "1E5", "18446744073709551616", "0.1e1", "NaN", "01", "1."])
)
SCALARS = string_texts(STRINGS) | NUMBERS | st.sampled_from(["true", "false", "null"])


@st.composite
def arrays(draw: st.DrawFn, inner: st.SearchStrategy[str]) -> str:
    """Generate a JSON array."""
    return f"[{','.join(draw(SPACE) + each for each in draw(st.lists(inner, max_size=3)))}{draw(SPACE)}]"


@st.composite
def objects(draw: st.DrawFn, inner: st.SearchStrategy[str]) -> str:
    """Generate a JSON object, which may repeat a name."""
    names = draw(st.lists(string_texts(NAMES), max_size=4))
    members = [f"{draw(SPACE)}{name}{draw(SPACE)}:{draw(SPACE)}{draw(inner)}" for name in names]
    return f"{{{','.join(members)}{draw(SPACE)}}}"


TEXTS = st.recursive(SCALARS, lambda inner: arrays(inner) | objects(inner), max_leaves=12)


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """Generate a body that is JSON, or JSON with some bytes changed."""
    body = (draw(SPACE) + draw(TEXTS) + draw(SPACE)).encode("utf-8", "surrogatepass")
    if draw(st.integers(0, 3)) == 0:
        place = draw(st.integers(0, len(body)))
        body = body[:place] + draw(st.binary(max_size=2)) + body[place + draw(st.integers(0, 2)) :]
    return body


@given(bodies())
@example(b'{"a":1,"a":2}')
@example(b'{"a":1,"a":2,"b":"x\\u0022:"}')
@example(b'{"a":"::","a":1,"b":"\\u003a\\u003a\\u003a"}')
@example(b'{"a" : 1, "\\u0061" : 2}')
@example(b'{"a\\"b":1,"a\\"b":2}')
@example(b'{"\\u00e9":1,"\xc3\xa9":2}')
@example(b'{"a":"\\\\u0000","b":"\\n\\/\\t"}')
@example(b'{"":0,"":0}')
@example(b'\xef\xbb\xbf{"a":1}')
@example(b'["\xed\xa0\x80"]')
@example(b"[18446744073709551616, -9223372036854775809, 1e999]")
@example(b"\x0c1")
@example(b"[" * 64 + b"]" * 64)
@example(b"[" * 65 + b"]" * 65)
@example(b'{"a":' * 65 + b"1" + b"}" * 65)
@example(b"[" * 1500 + b"]" * 1500)
@example(b'{"a":' * 5000 + b'"\\u0000"' + b"}" * 5000)
@example(b"9" * 5000)
def test_reads_as_the_simple_reader_does(body: bytes) -> None:
    """`parse_json` returns the same value and number types as the simple reader, or both refuse the body."""
    try:
        expected = repr(read_simply(body))
    except (ValueError, RecursionError):
        with pytest.raises(InvalidSyntax):
            parse_json(body)
    else:
        assert repr(parse_json(body)) == expected


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b'{"a": 1, "a": 2}', "The request body gives the same name twice in one object."),
        (b'{"a": {"b": [{"c": ":", "c": ":"}]}}', "The request body gives the same name twice in one object."),
        (b'{"a": "\\u0000"}', "The request body has a null character or half a surrogate pair in a string."),
        (b'{"a": "\\ud800"}', "The request body has a null character or half a surrogate pair in a string."),
        (b"[" * 65 + b"]" * 65, "The request body is nested deeper than 64 levels."),
        (b"[" * 250 + b"]" * 250, "The request body is nested deeper than 64 levels."),
        (b'["\\u0000", ' + b"[" * 100 + b"]" * 101, "The request body is nested deeper than 64 levels."),
        (b'{"a": }', "The request body is not valid JSON in UTF-8."),
        (b'{"a": NaN}', "The request body is not valid JSON in UTF-8."),
        (b'{"a": "\xff"}', "The request body is not valid JSON in UTF-8."),
    ],
)
def test_wrong_bodies_have_an_error_detail(body: bytes, detail: str) -> None:
    """Each kind of wrong body gets its own error detail."""
    with pytest.raises(InvalidSyntax) as caught:
        parse_json(body)
    assert caught.value.detail == detail


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
)  # fmt: skip


@given(VALUES)
@example([2**64, -(2**63) - 1, 2**53 + 1, 1e16, 1e-7, 5e-324, 1.7976931348623157e308, -0.0, 0.1, "\x7f\x1f\u2028"])
def test_writes_the_same_bytes(value: object) -> None:
    """`write_json` writes the same bytes as `to_json`, and the value is the same when it is read again."""
    written = write_json(value)
    assert written == to_json(value)
    assert repr(json.loads(written)) == repr(value)


class Color(StrEnum):
    """A custom enumeration."""

    RED = "red"


class Tag(str):
    """A custom string class."""

    __slots__ = ()


@pytest.mark.parametrize(
    "value",
    [
        datetime(2026, 11, 25, 12, 0, 0, 123456, tzinfo=UTC), UUID(int=7), Color.RED, Tag("x"), (1, 2), {1: 2}, b"x",
        {"a": [Tag("x"), {"b": datetime(2026, 1, 1)}]},
    ],
)  # fmt: skip
def test_other_objects_are_written_alike(value: object) -> None:
    """Objects of other classes in a document are written in the same way with `orjson` and without."""
    assert write_json(value) == to_json(value)


def test_values_without_a_json_form_are_refused() -> None:
    """Half a surrogate pair and an arbitrary object are refused."""
    for value in ("\ud800", {"a": object()}):
        with pytest.raises(InvalidSyntax):
            write_json(value)


def test_the_library_works_without_orjson() -> None:
    """scimkit serves requests without the optional `orjson`."""
    code = (
        "import sys; sys.modules['orjson'] = None;"
        "from scimkit import *;"
        "tokens = TokenRegistry(); headers = {'authorization': 'Bearer ' + tokens.issue('x').token};"
        "service = ScimService(MemoryStore(), tokens=tokens);"
        'body = b\'{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada"}\';'
        "made = run_sync(service.handle(Request('POST', '/Users', '', headers, body)));"
        "found = run_sync(service.handle(Request('GET', '/Users', 'filter=userName+eq+%22ADA%22', headers)));"
        "print(made.status, found.status, b'\"totalResults\":1' in found.body)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["201", "200", "True"]

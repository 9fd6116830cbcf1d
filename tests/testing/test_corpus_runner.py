"""The runner of the corpus, with programs that answer, lie, hang and end."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from scimkit.cli import app
from scimkit.testing import corpus

ENGINE = (sys.executable, "-m", "scimkit.testing.corpus")
FEW = [each for each in corpus.cases() if each.rule == "primary"]
LOOP = """
import json, sys, time
for line in sys.stdin:
    question = json.loads(line)
    if question["kind"] == "schemas":
        continue
    %s
"""


def program(answer: str) -> list[str]:
    """Return a program with some lines of Python for each question."""
    return [sys.executable, "-c", LOOP % answer.replace("\n", "\n    ")]


def say(answer: str) -> str:
    """Return Python that prints an answer."""
    return f"print(json.dumps({{'id': question['id'], {answer}}}), flush=True)"


def invoke(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["corpus", *arguments])


def test_right_answers() -> None:
    """A program that answers with scimkit passes, and the report counts by clause."""
    report = corpus.run(ENGINE, FEW)
    assert [each.verdict for each in report.judged] == ["passed"] * len(FEW)
    assert report.by_clause() == {"RFC 7644 §3.5.2": {"passed": len(FEW)}}
    assert report.wrong == report.deviations == []


def test_wrong_and_unsupported_answers() -> None:
    """An answer may say that it does not support a case. Another answer than the expected is wrong."""
    lines = f"if question['kind'] == 'patch': {say(repr('unsupported') + ': 1')}\nelse: {say(repr('matches') + ': 1')}"
    filters = [each for each in corpus.cases() if each.rule == "pr"][:3]
    report = corpus.run(program(lines), [*FEW, *filters])
    assert [each.verdict for each in report.judged] == ["unsupported"] * len(FEW) + ["wrong"] * 3


FAILING = {
    "time": ("if question['id'] == {second!r}: time.sleep(60)\nelse: {right}", "no answer"),
    "end": ("if question['id'] == {second!r}: sys.exit(3)\nelse: {right}", "the command ended"),
    "no JSON": ("if question['id'] == {second!r}: print('what?', flush=True)\nelse: {right}", "not JSON"),
    "other id": ("if question['id'] == {second!r}: print('{{}}', flush=True)\nelse: {right}", "the id of the question"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAILING)
def test_a_question_without_an_answer(name: str) -> None:
    """A program that hangs, ends or writes something else fails one case, and is started again for the next one."""
    script, reason = FAILING[name]
    lines = script.format(second=FEW[1].id, right=say("'unsupported': 1"))
    report = corpus.run(program(lines), FEW[:4], timeout=0.5)
    assert [each.verdict for each in report.judged] == ["unsupported", "wrong", "unsupported", "unsupported"]
    assert reason in report.judged[1].answer["failure"]


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (["a-program-that-does-not-exist"], "cannot be started"), (program("sys.exit(1)"), "1 questions in a row"),
        (program(f"if question['id'] == {FEW[0].id!r}: {say('1: 1')}\nelse: sys.exit(1)"), "5 questions in a row"),
        (program("while True: print('{}', flush=True)"), "the id of the question"),
    ],
    ids=["missing", "silent", "five", "chatter"],
)  # fmt: skip
def test_a_program_that_does_not_answer_stops_the_run(command: list[str], reason: str) -> None:
    """The runner stops if the program cannot be started, or does not answer."""
    with pytest.raises(corpus.CommandError, match=reason):
        corpus.run(command, FEW, timeout=5)


USER: dict[str, Any] = {"userName": "ada"}
SAME: list[tuple[dict[str, Any], dict[str, Any], bool]] = [
    ({**USER, "id": "1", "meta": {}, "schemas": ["x"]}, USER, True),
    ({**USER, "title": None, "emails": [], "name": {}}, USER, True),
    ({"USERNAME": "ada"}, USER, True),
    ({**USER, "USERNAME": "bo"}, USER, False),
    ({"userName": "Ada"}, USER, False),
    ({"emails": [{"value": "a", "primary": False}]}, {"emails": [{"value": "a"}]}, True),
    ({"emails": [{"value": "a"}, {"value": "b"}]}, {"emails": [{"value": "b"}, {"value": "a"}]}, True),
    ({"tags": ["a", "a"]}, {"tags": ["a"]}, False),
    ({"bought": "2011-05-13T04:42:34Z"}, {"bought": "2011-05-13T06:42:34.000+02:00"}, True),
    ({"weight": 2}, {"weight": 2.0}, True),
    ({"rented": 1}, {"rented": True}, False),
    ({"manager": {"value": "1", "$ref": "x"}}, {"manager": {"value": "1"}}, True),
]


@pytest.mark.parametrize(("one", "other", "same"), SAME)
def test_documents_are_compared_as_the_rfc_means_them(one: dict[str, Any], other: dict[str, Any], same: bool) -> None:
    """Documents may differ where the RFC gives a service provider the choice, and nowhere else."""
    assert corpus.same_document(one, other) is same
    assert corpus.same_document(other, one) is same


def test_errors_are_compared_by_status_and_keyword() -> None:
    """A result without `scimType` accepts each error with its status. A status may be a string."""
    mandated, optional = {"error": {"status": 400, "scimType": "noTarget"}}, {"error": {"status": 400}}
    said = {"error": {"status": "400", "scimType": "invalidPath"}}
    assert not corpus.accepts(mandated, said)
    assert corpus.accepts(optional, said)
    assert corpus.accepts(mandated, {"error": {"status": 400, "scimType": "noTarget"}})
    assert not corpus.accepts(optional, {"error": {"status": 500}})
    assert not corpus.accepts(optional, {"matches": False})
    assert not corpus.accepts({"matches": False}, {"error": {"status": 400}, "matches": False})


def test_export_writes_what_a_reader_in_another_language_needs(tmp_path: Path) -> None:
    """The exported folder has all cases, their schemas, the version and the license."""
    done = invoke("export", str(tmp_path / "corpus"))
    assert done.exit_code == 0, done.stderr
    about = json.loads((tmp_path / "corpus" / "corpus.json").read_text("utf-8"))
    found = [json.loads(line) for line in (tmp_path / "corpus" / "cases.jsonl").read_text("utf-8").splitlines()]
    assert about == {
        "name": "scimkit corpus",
        "version": corpus.VERSION,
        "license": corpus.LICENSE,
        "cases": len(found),
    }
    assert [corpus.Case.from_json(each) for each in found] == list(corpus.cases())
    assert {f"{name}.json" for each in found for name in each["schemas"]} == {
        each.name for each in (tmp_path / "corpus" / "schemas").iterdir()
    }
    assert invoke("export", str(tmp_path / "corpus" / "corpus.json" / "x")).exit_code == 2


def test_run_passes() -> None:
    """The exit status is 0 if each answer that counts is right."""
    done = invoke("run", "--rule", "primary", "--rule", "deviation", "--", *ENGINE)
    assert done.exit_code == 0, done.stdout
    assert f"RFC 7644 §3.5.2  {len(FEW)}" in done.stdout
    assert f"{len(FEW)} of {len(FEW)} answers are right." in done.stdout
    assert "that deviate from the RFC: 0 of" in done.stdout


def test_run_shows_what_is_wrong() -> None:
    """The exit status is 1 if an answer is wrong. The report shows the case, the expected result and the answer."""
    command = program(say("'matches': True"))
    done = invoke("run", "--kind", "patch", "--rule", "primary", "--show", "1", "--", *command)
    assert done.exit_code == 1
    assert f"{FEW[0].id}  RFC 7644 §3.5.2, primary" in done.stdout
    assert 'answer: {"matches": true}' in done.stdout
    assert f"{len(FEW) - 1} more wrong answers." in done.stdout
    done = invoke("run", "--id", FEW[0].id, "--json", "--", *command)
    found = json.loads(done.stdout)
    assert (found["verdict"], found["case"]) == ("wrong", json.loads(json.dumps(FEW[0].to_json())))


@pytest.mark.parametrize(
    "options",
    [("--kind", "bulk"), ("--rule", "no such rule"), ("--id", "filter-0"), ("--kind", "filter", "--rule", "primary")],
)
def test_options_that_select_nothing_are_refused(options: tuple[str, ...]) -> None:
    """The exit status is 2 for a wrong option, and for a program that does not answer."""
    done = invoke("run", *options, "--", "true")
    assert done.exit_code == 2
    assert "Invalid value" in done.stderr
    assert invoke("run", "--rule", "primary", "--", "true").exit_code == 2

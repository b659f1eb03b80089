from __future__ import annotations

from typing import Any

from clinsynth.llm.dialect import Dialect
from clinsynth.llm.errors import read_error

WANTED: dict[str, Any] = {
    "model": "m",
    "messages": [],
    "temperature": 1.0,
    "max_tokens": 9,
    "response_format": {"type": "json_schema", "json_schema": {}},
}


def refuse(dialect: Dialect, **error: Any) -> bool:
    return dialect.learns(WANTED, dialect.body(WANTED), read_error(400, error))


def test_the_body_is_sent_as_it_is_until_something_is_refused() -> None:
    assert Dialect().body(WANTED) == WANTED


def test_the_length_of_an_answer_has_two_names_before_it_is_left_out() -> None:
    dialect = Dialect()
    assert refuse(dialect, param="max_tokens")
    sent = dialect.body(WANTED)
    assert sent["max_completion_tokens"] == 9 and "max_tokens" not in sent
    assert refuse(dialect, param="max_completion_tokens")
    assert not {"max_tokens", "max_completion_tokens"} & dialect.body(WANTED).keys()
    assert not refuse(dialect, param="max_tokens")  # what is not sent cannot be given up: a failure


def test_what_another_request_has_learnt_meanwhile_is_only_sent_again() -> None:
    dialect = Dialect()
    before = dialect.body(WANTED)
    problem = read_error(422, {"param": "max_tokens"})
    assert dialect.learns(WANTED, before, problem) and dialect.learns(WANTED, before, problem)
    assert dialect.body(WANTED)["max_completion_tokens"] == 9


def test_text_and_model_are_never_left_out() -> None:
    for name in ("messages", "model"):
        assert not refuse(Dialect(), param=name)


def test_a_form_of_answer_is_replaced_by_a_simpler_one() -> None:
    dialect = Dialect()
    assert refuse(dialect, message="json_schema is not supported")
    assert dialect.body(WANTED)["response_format"] == {"type": "json_object"}
    assert refuse(dialect, param="response_format") and dialect.response_format == "none"
    assert "response_format" not in dialect.body(WANTED)
    assert not refuse(dialect, param="response_format")


def test_a_form_that_is_not_known_is_sent_as_it_is() -> None:
    wanted = {**WANTED, "response_format": {"type": "grammar", "grammar": "x"}}
    assert Dialect().body(wanted) == wanted


def test_a_text_that_is_too_long_says_nothing_of_the_parameter() -> None:
    dialect = Dialect()
    said = "'max_tokens' or 'max_completion_tokens' is too large: 9. This model's maximum context length is 8"
    assert not refuse(dialect, message=said)
    assert not refuse(dialect, code="context_length_exceeded", param="max_tokens")
    assert dialect.body(WANTED) == WANTED
    assert refuse(dialect, message="Unsupported parameter: 'max_tokens' is not supported with this model.")

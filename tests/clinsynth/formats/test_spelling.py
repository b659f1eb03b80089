from __future__ import annotations

from clinsynth.formats.spelling import did_you_mean, nearest


def test_the_word_that_is_spelt_most_alike_was_meant() -> None:
    assert nearest("fti", ["fit", "tag", "test"]) == "fit"
    assert nearest("xyz", ["fit", "tag", "test"]) is None
    assert nearest("trainer.max_epoch", ["trainer.max_time"], cutoff=0.9) is None


def test_a_message_ends_with_the_word_that_was_meant() -> None:
    assert did_you_mean("fit") == ". Did you mean 'fit'?"
    assert did_you_mean("size", "--{}") == ". Did you mean --size?"
    assert did_you_mean(None) == ""

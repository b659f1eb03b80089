"""Short answers to what cannot be parsed: what is wrong, the option that was meant, and where all are."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn

from jsonargparse import ArgumentParser

from clinsynth.formats.spelling import did_you_mean, nearest

UNKNOWN = re.compile(
    r"unrecognized arguments: (?:--(?P<argument>[\w.+-]+)|(?P<extra>\S+))"
    r"|(?:Group '(?P<group>[\w.]+)' |Subcommand '\w+' )does not accept option '(?P<key>[\w.]+)'"
    r"|Option '(?P<option>[\w.]+)' is not accepted"
)
INSIDE = re.compile(r"Parser key \"([\w.]+)\"")
CLASS = re.compile(r"class_path '([\w.]+)'")
NOT_A_CLASS = re.compile(r"Expected a dot import path string: (\S+)")
# what jsonargparse adds to the reason: the other types of a union, and its view of the value
NOISE = re.compile(
    r"^(Does not validate against any of the Union subtypes|Subtypes: .*|Errors:|Given value.*"
    r"|- Expected a <class 'NoneType'>.*|(- )?Problem with given class_path '.*':)$"
)
FRAMES = re.compile(r"^(Not of type \w+: |Call to compute_fn of link '.*' with args \(.*?\) failed: )")
KEY = re.compile(r"Parser key \"([\w.]+)\":")
CUTOFF = 0.7  # similarity from which an option is meant, from 0 to 1


class AnsweringParser(ArgumentParser):
    """Answers a misspelt option or config key with the one that is spelt like it, in a line or two."""

    all_options = "--help"
    """What shows all options of a command."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"allow_abbrev": False, **kwargs})

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        if not self.exit_on_error:  # it is inside another parser, which tells
            super().error(message, ex)
        parser = getattr(ex, "subcommand_parser", None) or self
        command = parser.prog.replace(" [options]", "")
        print(f"{command}: {self.answer(message, parser)}", file=sys.stderr)
        print(f"All options: {command} {self.all_options}", file=sys.stderr)
        sys.exit(2)

    def answer(self, message: str, parser: ArgumentParser) -> str:
        """The reason of an error in few lines, with the option or the class that may have been meant."""
        inside = match[1] if (match := INSIDE.search(message)) else ""
        if match := NOT_A_CLASS.search(message):
            return f"there is no class {match[1]} for --{inside}" + _meant(match[1], self.classes(inside), "")
        match = UNKNOWN.search(message)
        if match is None:
            return _reason(message)
        if match["extra"]:
            return f"there is no use for the argument {match['extra']!r}"
        known = set(parser.get_defaults().keys())
        path = [match["group"], match["argument"] or match["key"] or match["option"]]
        if named := CLASS.search(message):
            known = {f"{inside}.{option}" for option in self._options_of(named[1])}
            path.insert(0, inside)
        word = ".".join(part for part in path if part)
        return f"there is no option --{word}" + _meant(word, known, "--")

    def classes(self, option: str) -> Iterable[str]:
        """Names of the classes that are known for an option."""
        return ()

    def _options_of(self, class_path: str) -> Iterable[str]:
        module, _, name = class_path.rpartition(".")
        parser = ArgumentParser(exit_on_error=False)
        parser.add_class_arguments(getattr(importlib.import_module(module), name), fail_untyped=False)
        keys: Iterable[str] = parser.get_defaults().keys()
        return keys


def _meant(word: str, known: Iterable[str], dashes: str) -> str:
    return did_you_mean(nearest_option(word, known), dashes + "{}")


def nearest_option(word: str, known: Iterable[str]) -> str | None:
    """The known name that was most likely meant, or ``None``.

    A name is meant if its last part is the word's, if the word's last part is its initials (``lr`` of
    ``learning_rate``), or if the two are spelt alike.

    Args:
        word: What was written: ``trainer.max_epoch``, ``max_epochs``, ``model.lr``.
        known: Names to choose from, with dots.
    """
    names = sorted(set(known) - {word})
    start, _, last = word.rpartition(".")
    ends = {name: name.rpartition(".")[2] for name in names}
    inside = [name for name in names if not start or name.startswith(start.split(".")[0])]
    alike = nearest(word, names, CUTOFF)
    alike_end = nearest(last, [ends[name] for name in inside], CUTOFF)
    for choice in (
        [name for name in inside if ends[name] == last],
        [name for name in inside if "_" in ends[name] and _initials(ends[name]) == last],
        [name for name in names if name == alike],
        [name for name in inside if ends[name] == alike_end],
        [name for name in names if ends[name] == last],
    ):
        if choice:
            return min(choice, key=lambda name: (name.count("."), len(name)))
    return None


def _initials(name: str) -> str:
    return "".join(part[:1] for part in name.split("_"))


def _reason(message: str) -> str:
    lines = list(dict.fromkeys(FRAMES.sub("", line.strip().removeprefix("- ")) for line in _told(message)))
    keys = [match[1] for line in lines if (match := KEY.fullmatch(line))]
    reason = "\n  ".join(line for line in lines if not KEY.fullmatch(line))
    return f"--{'.'.join(keys)}: {reason}" if keys else reason


def _told(message: str) -> Iterator[str]:
    for line in message.splitlines():
        if line.strip() and not NOISE.match(line.strip()):
            yield line

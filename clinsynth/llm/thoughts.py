"""Thoughts of reasoning models, told apart from the answer that they stand beside in one text.

Servers that know a model put its thoughts into a field of their own. Others leave them in the text, with
the marks that the model was trained with, or with the closing mark alone where the prompt ended in the
opening one.
"""

from __future__ import annotations

import re

# as the chat templates of models have them: Qwen, DeepSeek and Nemotron (think), Magistral ([THINK]), Kimi
# (triangles), Cohere (START_THINKING), Sky-T1 (begin_of_thought), Seed (seed:think), MedGemma (unused94),
# Apriel ([BEGIN FINAL RESPONSE])
_NAMES = r"(?:\w+:)?(?:think|thinking|THINK|THINKING)"
_OPENING = (
    rf"<\s*{_NAMES}(?:\s[^<>]*)?>|\[(?:THINK|think|THINKING)\]|\u25c1think\u25b7"
    r"|<\|(?:START_THINKING|begin_of_thought|think|thinking)\|>|<unused94>"
)
_CLOSING = (
    rf"<\s*/\s*{_NAMES}\s*>|\[/(?:THINK|think|THINKING)\]|\u25c1/think\u25b7"
    r"|<\|(?:END_THINKING|end_of_thought|/think|/thinking)\|>|<unused95>|\[BEGIN FINAL RESPONSE\]"
)
_MARK = re.compile(f"(?P<open>{_OPENING})|(?P<close>{_CLOSING})")
# words that a task may have as a label: a mark only where the answer begins with it
_WORDED = re.compile(
    r"\A\s*<(?P<name>thought|thoughts|reasoning|reflection|scratchpad|analysis|reason)>.*?(?:</(?P=name)>|\Z)",
    re.DOTALL,
)
_SPOKEN = re.compile(
    r"\A\s*Here is my thought process:.*?(?:^Here is my response:|\Z)", re.DOTALL | re.MULTILINE
)

# an answer that begins as JSON: what stands in its strings is text, whatever it looks like
_JSON = re.compile(r"\s*(?:```\w*\s*)?(?:\{\s*[\"}]|\[\s*[\"\[{\]])")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\Z)', re.DOTALL)

# https://cookbook.openai.com/articles/openai-harmony
_CHANNEL = re.compile(r"<\|channel\|>\s*(?P<name>\w+)(?P<to>[^<]*)(?:<\|constrain\|>[^<]*)?<\|message\|>")
_CHANNEL_END = re.compile(r"<\|(?:end|return|call|start|channel)\|>|\Z")
_BARE_CHANNELS = re.compile(r"\Aanalysis.*assistant\s*final", re.DOTALL)  # the marks lost, the names left


def without_thoughts(text: str) -> str | None:
    """The answer in a text, or ``None`` where it cannot be told from thoughts that are never closed."""
    if _JSON.match(text):
        return _outside_of_marks(text, _STRING.sub(lambda string: " " * len(string[0]), text))
    if _CHANNEL.search(text):
        return _final_channel(text)
    if text.startswith("analysis") and (bare := _BARE_CHANNELS.match(text)):
        return text[bare.end() :]
    for pattern in (_WORDED, _SPOKEN):
        if begun := pattern.match(text):
            if begun.end() == len(text):
                return None
            text = text[begun.end() :]
    return _outside_of_marks(text, text)


def _outside_of_marks(text: str, searched: str) -> str | None:
    """What of a text is outside of marks, which are looked for in ``searched``, of the same length."""
    kept: list[str] = []
    inside = False
    done = 0
    for mark in _MARK.finditer(searched):
        if mark["open"]:
            if not inside:  # else the thoughts speak of the mark
                kept.append(text[done : mark.start()])
            inside = True
            continue
        if not inside:  # opened in the prompt, or what seemed to close the thoughts was said in them
            kept.clear()
        inside = False
        done = mark.end()
    return None if inside else "".join([*kept, text[done:]])


def _final_channel(text: str) -> str | None:
    """The last final message, or else the last one that is put to a tool."""
    answer = call = None
    for channel in _CHANNEL.finditer(text):
        end = _CHANNEL_END.search(text, channel.end())
        content = text[channel.end() : end.start() if end else None]
        if channel["name"] == "final":
            answer = content
        elif "to=" in channel["to"]:
            call = content
    return call if answer is None else answer

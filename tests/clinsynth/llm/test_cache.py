from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import diskcache
import pytest

from clinsynth.llm.cache import Imported, ReplyCache
from clinsynth.llm.requests import Reply, Request
from tests.clinsynth.synthesis.tasks import reply

REQUEST = Request("r1", {"model": "m", "messages": [{"role": "user", "content": "\u00e9 \U0001f600 \ud83d"}]})


def test_the_best_reply_wins_and_none_is_lost(tmp_path: Path) -> None:
    with ReplyCache(tmp_path) as cache:
        assert cache.reply(REQUEST) is None
        for finish in ("content_filter", "length", "stop", "length"):
            cache.add([(REQUEST, reply(finish, finish))])
        assert [reply.outcome for reply in cache.replies(REQUEST)] == [
            "refused",
            "truncated",
            "complete",
            "truncated",
        ]
    with ReplyCache(tmp_path) as cache:
        assert cache.reply(REQUEST) == reply("stop")


def test_a_request_is_known_by_what_can_change_its_reply(tmp_path: Path) -> None:
    with ReplyCache(tmp_path) as cache:
        cache.add([(REQUEST, reply("x"))])
        assert cache.reply(Request("other", dict(REQUEST.body))) == reply("x", custom_id="other")
        assert cache.reply(Request("r1", REQUEST.body, draw=1)) is None
        assert cache.reply(Request("r1", {**REQUEST.body, "temperature": 0})) is None
        assert list(cache.bodies()) == [(REQUEST.body, 0)]


def test_taking_a_file_twice_changes_nothing(tmp_path: Path) -> None:
    replies = [reply("x"), reply("x", custom_id="who"), Reply("r1", 500)]
    with ReplyCache(tmp_path) as cache:
        assert cache.take([REQUEST], replies) == Imported(1, 0, {"status 500": 1}, ("who",))
        assert cache.take([REQUEST], replies) == Imported(0, 1, {"status 500": 1}, ("who",))
        assert len(cache.replies(REQUEST)) == 1


def test_what_was_added_survives_a_kill(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from clinsynth.llm.cache import ReplyCache;"
        "from tests.clinsynth.llm.test_cache import REQUEST;"
        "from tests.clinsynth.synthesis.tasks import reply;"
        "cache = ReplyCache(Path(sys.argv[1])); cache.add([(REQUEST, reply('x'))]);"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    root = Path(__file__).parents[3]
    ended = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL
    with ReplyCache(tmp_path) as cache:
        assert cache.reply(REQUEST) == reply("x")


def test_a_damaged_database_is_told(tmp_path: Path) -> None:
    ReplyCache(tmp_path).close()
    (tmp_path / "cache.db").write_bytes(b"no database " * 1000)
    with pytest.raises(ValueError, match="cache of replies"):
        ReplyCache(tmp_path)


def test_nothing_is_pickled(tmp_path: Path) -> None:
    with ReplyCache(tmp_path) as cache:
        cache.add([(REQUEST, reply("x" * 200_000))])  # large values go to files of their own
        assert cache.reply(REQUEST) == reply("x" * 200_000)
    assert not any(
        path.read_bytes().startswith(b"\x80\x04") for path in tmp_path.rglob("*") if path.is_file()
    )


def test_a_pickle_is_not_read(tmp_path: Path) -> None:
    with ReplyCache(tmp_path) as cache:
        cache.add([(REQUEST, reply("x"))])
    with diskcache.Cache(str(tmp_path)) as spoilt:  # its own disk format: pickle
        spoilt.clear()
        spoilt.set(REQUEST.key, {"replies": [set()]})
        key = diskcache.JSONDisk(str(tmp_path)).put(REQUEST.key)[0]
        spoilt._sql("UPDATE Cache SET key = ?", (key,))
    with ReplyCache(tmp_path) as cache, pytest.raises(ValueError, match="pickle"):
        cache.replies(REQUEST)


def test_a_disk_that_is_full_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ReplyCache(tmp_path) as cache:

        def full(*_: object) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        monkeypatch.setattr(cache, "_keep", full)
        with pytest.raises(OSError, match=r"cannot be kept \(database or disk is full\)\. Remedy: make room"):
            cache.add([(Request("a", {"model": "m"}), Reply("a", 200, {}))])


def test_long_replies_are_in_the_database_too(tmp_path: Path) -> None:
    request = Request("a", {"model": "m"})
    long = {"choices": [], "thoughts": "".join(map(str, range(200_000)))}
    with ReplyCache(tmp_path) as cache:
        cache.add([(request, Reply("a", 200, long))])
        assert cache.replies(request) == [Reply("a", 200, long)]
    assert {path.name.partition("-")[0] for path in tmp_path.rglob("*") if path.is_file()} == {"cache.db"}

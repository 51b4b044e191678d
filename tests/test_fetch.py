# SPDX-License-Identifier: GPL-2.0-or-later
"""Getting a thread: every kind of source, a real archive over HTTP, and servers that do not do what they should."""

from __future__ import annotations

import gzip
import http.server
import io
import os
import re
import socket
import subprocess
import sys
import threading
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reviewer.errors import FetchError, NotFoundError, SeriesError, UsageError
from reviewer.mail.fetch import fetch
from reviewer.mail.series import series_of
from reviewer.mail.source import LORE, recognise
from tests import mails
from tests.inbox import Inbox, split_mboxrd
from tests.mails import mail

Serve = Callable[[int, bytes, str], str]
ID = "20221107215644.1895162-1-oliver.upton@linux.dev"


def _first_id(thread: bytes) -> str:
    found = re.search(rb"^message-id:\s*<([^>]+)>", thread, re.IGNORECASE | re.MULTILINE)
    assert found
    return found[1].decode()


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a server that answers every request with the same status and body."""
    servers: list[http.server.ThreadingHTTPServer] = []

    def start(status: int, body: bytes, kind: str) -> str:
        class Handler(http.server.BaseHTTPRequestHandler):
            def _answer(self) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_GET = do_HEAD = do_POST = _answer  # noqa: N815 - names that http.server looks for

            def log_message(self, *_args: object) -> None:
                return

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return f"http://127.0.0.1:{server.server_address[1]}/all"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url) as answer:  # noqa: S310 - always the archive of the test run
        data: bytes = answer.read()
    return data


@contextmanager
def _unused_port() -> Iterator[int]:
    # Bound and not listening: nobody else gets the port, and a connection is refused.
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


# What the user names


@pytest.mark.parametrize(
    "word",
    [
        ID,
        f"<{ID}>",
        f"id:{ID}",
        f"mid:{ID}",
        f"https://lore.kernel.org/all/{ID}/",
        f"https://lore.kernel.org/kvmarm/{ID}",
        f"https://lore.kernel.org/r/{ID}",
        f"https://lore.kernel.org/{ID}",
        f"https://lore.kernel.org/all/{ID}/T/#u",
        f"https://lore.kernel.org/all/{ID}/t/#m0123456789abcdef",
        f"https://lore.kernel.org/all/{ID}/raw",
        f"https://lore.kernel.org/all/{ID}/t.mbox.gz",
        f"https://lore.kernel.org/all/{ID}/?x=m",
        f"https://lore.kernel.org/all/{ID.replace('@', '%40')}/",
        f"HTTPS://LORE.KERNEL.ORG/all/{ID}/",
        f"http://lkml.kernel.org/r/{ID}",
        f"https://patch.msgid.link/{ID}",
        f"https://patchwork.kernel.org/project/kvm/patch/{ID}/",
    ],
)
def test_every_common_form_of_a_message_id(word: str) -> None:
    source = recognise(word, None)
    assert (source.server, source.wanted, source.paths) == (LORE, ID, ())
    assert recognise(word, "https://mirror.example.org/all").server == "https://mirror.example.org/all"


@pytest.mark.parametrize(
    ("url", "server", "message_id"),
    [
        ("https://inbox.example.org/git/a%2Fb@x/", "https://inbox.example.org/git", "a/b@x"),
        ("http://127.0.0.1:8080/all/a@x/T/#u", "http://127.0.0.1:8080/all", "a@x"),
        ("https://example.org/archives/linux/a@x/", "https://example.org/archives/linux", "a@x"),
        ("https://inbox.example.org/r/a@x", "https://inbox.example.org/all", "a@x"),
        ("https://lore.kernel.org/all/YGTRzf/4i9Y8XR2c@google.com/", LORE, "YGTRzf/4i9Y8XR2c@google.com"),
        ("https://lore.kernel.org/all/YGTRzf%2F4i9Y8XR2c%40google.com/", LORE, "YGTRzf/4i9Y8XR2c@google.com"),
        ("https://lore.kernel.org/linux-mm/no-at-sign/", LORE, "no-at-sign"),
    ],
)
def test_url_of_another_archive_names_that_archive(url: str, server: str, message_id: str) -> None:
    source = recognise(url, None)
    assert (source.server, source.wanted) == (server, message_id)


@pytest.mark.parametrize(
    "word",
    [
        "no-such-file",
        "./missing@place",
        "missing@place.mbox",
        "two words@x",
        "a@x\nb",
        "https://lore.kernel.org/kvm/",
        "https://lore.kernel.org/all/?q=s:patch",
        "https://patchwork.kernel.org/project/kvm/patch/12345/",
        "https://example.org/",
    ],
)
def test_word_that_names_nothing(word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FetchError):
        recognise(word, None)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words", [[], ["a@x", "b@x"], ["-", "-"], ["-", "a@x", "b@x"], ["https://u:p@example.org/all/a@x"]]
)
def test_words_that_make_no_sense_together(words: list[str]) -> None:
    with pytest.raises(UsageError):
        recognise(words, None)


# Local mail


def test_missing_mbox_is_an_error_and_is_not_created(tmp_path: Path) -> None:
    # Python's mailbox, which b4 uses, creates it.
    missing = tmp_path / "missing.mbox"
    with pytest.raises(FetchError, match="there is no such file"):
        fetch(str(missing))
    assert list(tmp_path.iterdir()) == []


def test_unreadable_and_senseless_files(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "binary").write_bytes(bytes(range(256)) * 10)
    (tmp_path / "folder").mkdir()
    with pytest.raises(FetchError, match="give an mbox"):
        fetch(str(tmp_path / "empty"))
    with pytest.raises(FetchError, match="neither a mail header nor a diff"):
        fetch(str(tmp_path / "binary"))
    with pytest.raises(FetchError, match="no folders 'cur' and 'new'"):
        fetch(str(tmp_path / "folder"))


def test_message_that_is_not_in_the_mailbox(tmp_path: Path) -> None:
    path = tmp_path / "one.mbox"
    path.write_bytes(mails.mboxrd(mail("[PATCH] one", "1@x")))
    with pytest.raises(NotFoundError, match="other@x"):
        fetch([str(path), "other@x"])


def test_real_mailbox_is_read_byte_for_byte(shared: Path) -> None:
    path = shared / "mail" / "threads" / "s390-vmcore-mutex-v1.mbox"
    assert sorted(message.raw.rstrip() for message in fetch(str(path)).messages) == sorted(
        message.rstrip() for message in split_mboxrd(path.read_bytes())
    )


def test_maildir(tmp_path: Path) -> None:
    folder = tmp_path / "Maildir"
    for part in ("cur", "new", "tmp"):
        (folder / part).mkdir(parents=True)
    (folder / "cur" / "1.a:2,S").write_bytes(mail("[PATCH 1/2] one", "1@x"))
    (folder / "new" / "2.a").write_bytes(mail("[PATCH 2/2] two", "2@x", reply_to="1@x"))
    (folder / "cur" / "3.a:2,ST").write_bytes(mail("[PATCH] thrown away", "3@x"))
    (folder / "tmp" / "4.a").write_bytes(b"half")
    before = sorted(str(path) for path in folder.rglob("*"))
    series = series_of(fetch(str(folder)))
    assert [patch.subject for patch in series.patches] == ["one", "two"]
    assert sorted(str(path) for path in folder.rglob("*")) == before


def test_patch_files_as_git_writes_them(tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    file = repository / mails.FILE

    def git(*words: str) -> None:
        subprocess.run(["git", "-C", str(repository), *words], check=True, capture_output=True)

    subprocess.run(["git", "init", "-q", str(repository)], check=True)
    file.parent.mkdir(parents=True)
    for text, subject in (
        (mails.BEFORE, "start"),
        (mails.AFTER, "demo: one"),
        (mails.BEFORE, "demo: two\n\nFrom here on."),
    ):
        file.write_bytes(text)
        git("add", "-A")
        git("commit", "-q", "-s", "-m", subject)
    git("format-patch", "-q", "--cover-letter", "--base=HEAD~2", "-v3", "-o", str(tmp_path / "out"), "HEAD~2")
    names = sorted(str(path) for path in (tmp_path / "out").iterdir())
    series = series_of(fetch(list(reversed(names))))
    assert [(patch.number, patch.subject, patch.message) for patch in series.patches] == [
        (1, "demo: one", None),
        (2, "demo: two", None),
    ]
    assert (series.revision, series.message_id, series.missing) == (3, None, ())
    assert series.cover is not None
    assert series.base_commit is not None
    assert series.patches[1].description.startswith("From here on.")
    assert mails.applied(tmp_path, series.patches[0].diff) == mails.AFTER
    alone = series_of(fetch(names[1]))
    assert (alone.missing, alone.author.email if alone.author else None) == ((2,), "jane@example.org")


def test_patch_files_without_numbers_are_taken_in_the_order_given(tmp_path: Path) -> None:
    for name in ("b", "a", "c"):
        (tmp_path / f"{name}.patch").write_bytes(mail(f"[PATCH] {name}", None))
    series = series_of(fetch([str(tmp_path / f"{name}.patch") for name in ("b", "a", "c")]))
    assert [(patch.number, patch.subject) for patch in series.patches] == [(1, "b"), (2, "a"), (3, "c")]


def test_bare_diff(tmp_path: Path) -> None:
    path = tmp_path / "fix.diff"
    path.write_bytes(mails.DIFF)
    (patch,) = series_of(fetch(str(path))).patches
    assert (patch.subject, patch.diff, patch.message) == ("fix.diff", mails.DIFF, None)


def test_standard_input(shared: Path) -> None:
    thread = (shared / "mail" / "threads" / "kvmarm-vgic-ap-list-deadlock.mbox").read_bytes()
    assert len(fetch("-", stdin=io.BytesIO(thread)).messages) == 2
    one = series_of(fetch("-", stdin=io.BytesIO(mail("[PATCH] one", "1@x"))))
    assert one.message_id == "1@x"
    assert series_of(fetch("-", stdin=io.BytesIO(mails.DIFF))).patches[0].diff == mails.DIFF
    with pytest.raises(FetchError, match="standard input"):
        fetch("-", stdin=io.BytesIO(b""))


def test_thread_as_it_is_downloaded_from_an_archive(shared: Path, tmp_path: Path) -> None:
    thread = (shared / "mail" / "threads" / "kvmarm-vgic-ap-list-deadlock.mbox").read_bytes()
    path = tmp_path / "t.mbox.gz"
    path.write_bytes(gzip.compress(thread))
    assert len(fetch(str(path)).messages) == 2
    path.write_bytes(gzip.compress(thread)[:500])
    with pytest.raises(FetchError, match="as mail"):
        fetch(str(path))


def test_copies_of_one_mail_count_once(tmp_path: Path) -> None:
    path = tmp_path / "twice.mbox"
    mangled = mail("[PATCH] one", "1@x", mails.BODY + b"____\nA list\n", extra=("List-Id: <list.sourceforge.net>",))
    clean = mail("[PATCH] one", "1@x", extra=("List-Id: <list.vger.kernel.org>",))
    path.write_bytes(mails.mboxrd(mangled, clean))
    (message,) = fetch(str(path)).messages
    assert b"A list" not in message.raw


def test_local_mail_needs_no_network(shared: Path) -> None:
    path = shared / "mail" / "threads" / "s390-gtp-deadlock-v2.mbox"
    assert series_of(fetch(str(path), offline=True, lore="http://127.0.0.1:9/all")).patches
    with pytest.raises(FetchError, match="network is switched off"):
        fetch(ID, offline=True)


# An archive over HTTP


def test_every_real_thread_comes_over_http_as_it_was_archived(inbox: Inbox, shared: Path) -> None:
    for path in sorted((shared / "mail" / "threads").glob("*.mbox")):
        archived = split_mboxrd(path.read_bytes())
        thread = fetch(_first_id(path.read_bytes()), lore=inbox.url, newer=False)
        assert sorted(message.raw.rstrip() for message in thread.messages) == sorted(raw.rstrip() for raw in archived)


def test_url_of_the_archive_itself(inbox: Inbox, shared: Path) -> None:
    assert shared
    quoted = urllib.parse.quote(ID, safe="")
    assert len(fetch(f"{inbox.url}{quoted}/T/#u", newer=False).messages) == 52
    # The list it came over, on a host that is named by the URL alone.
    assert len(fetch(f"{inbox.url.replace('/all/', '/kvmarm/')}{ID}/", newer=False).messages) == 52
    # A message-id at the root: the server redirects to the list that has it.
    assert len(fetch(f"{inbox.url.replace('/all/', '/')}{ID}/", newer=False).messages) == 52


def test_message_id_with_a_slash_over_http(inbox: Inbox, shared: Path) -> None:
    assert shared
    thread = fetch("YGTRzf/4i9Y8XR2c@google.com", lore=inbox.url, newer=False)
    assert (len(thread.messages), series_of(thread).revision) == (44, 1)


@pytest.mark.parametrize(
    ("message_id", "revision", "newer"),
    [
        ("20210326021957.1424875-1-seanjc@google.com", 1, (2, "20210402005658.3024832-1-seanjc@google.com")),
        ("20210729195632.489978-2-oupton@google.com", 1, (3, "20210802192809.1851010-1-oupton@google.com")),
        ("20241005045411.118720-1-danielyangkang@gmail.com", 2, 3),
        ("20241204125444.1734652-1-david@redhat.com", 2, None),
    ],
)
def test_revision_asked_for_is_kept_and_a_newer_one_on_the_server_named(
    inbox: Inbox, shared: Path, message_id: str, revision: int, newer: tuple[int, str] | int | None
) -> None:
    assert shared
    series = series_of(fetch(message_id, lore=inbox.url))
    assert series.revision == revision
    found = series.newer[0] if series.newer and isinstance(newer, int) else series.newer
    assert found == newer
    assert any("newer revision" in note for note in series.notes) == (newer is not None)


def test_thread_is_stripped_of_what_the_server_adds_to_it(inbox: Inbox) -> None:
    # An archive joins threads by subject, and t.mbox.gz then holds both.
    body = b"Hello.\n"
    inbox.add(
        [
            mail("[PATCH] clock: stop", "strip-1@x"),
            mail("Re: [PATCH] clock: stop", "strip-2@x", body, reply_to="strip-1@x"),
            mail("Re: [PATCH] clock: stop", "strip-3@y", body, sender="Bob <bob@example.org>"),
        ]
    )
    assert len(split_mboxrd(gzip.decompress(_get(f"{inbox.url}strip-1@x/t.mbox.gz")))) == 3
    thread = fetch("strip-1@x", lore=inbox.url, newer=False)
    assert sorted(message.message_id for message in thread.messages) == ["strip-1@x", "strip-2@x"]


def test_patch_inside_somebody_elses_discussion(inbox: Inbox) -> None:
    inbox.add(
        [
            mail("Clock runs over", "talk-1@x", b"Any ideas?\n", sender="Bob <bob@example.org>"),
            mail("[PATCH] demo: stop the talking clock", "talk-2@x", reply_to="talk-1@x"),
            mail("Re: Clock runs over", "talk-3@x", b"None.\n", reply_to="talk-1@x"),
        ]
    )
    for asked in ("talk-1@x", "talk-2@x", "talk-3@x"):
        series = series_of(fetch(asked, lore=inbox.url, newer=False))
        assert (series.message_id, series.cover) == ("talk-2@x", None)


def test_raw_of_an_archive_is_mboxrd(inbox: Inbox, tmp_path: Path) -> None:
    body = b"Text.\n\nFrom here on.\n---\n" + mails.DIFF
    inbox.add([mail("[PATCH] raw", "raw-1@x", body)])
    raw = _get(f"{inbox.url}raw-1@x/raw")
    assert b"\n>From here on." in raw
    path = tmp_path / "raw"
    path.write_bytes(raw)
    over_http = fetch("raw-1@x", lore=inbox.url, newer=False)
    for thread in (fetch(str(path)), over_http):
        (patch,) = series_of(thread).patches
        assert patch.description == "Text.\n\nFrom here on."


def test_mail_fetched_is_left_nowhere(
    inbox: Inbox, shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # b4 and liblore keep every thread in a cache, also when told not to read it.
    assert shared
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    home = Path(os.environ["HOME"])
    before = sorted(home.rglob("*"))
    assert fetch(ID, lore=inbox.url).messages
    assert sorted(home.rglob("*")) == before
    assert list(temporary.iterdir()) == []


# Whose configuration counts


def test_b4_config_of_the_tree_does_not_redirect_the_fetch(
    inbox: Inbox, shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shared
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".b4-config").write_text("[b4]\n\tmidmask = http://127.0.0.1:9/all/%s\n")
    subprocess.run(["git", "-C", str(tmp_path), "config", "b4.midmask", "http://127.0.0.1:9/all/%s"], check=True)
    (tmp_path / "b4.py").write_text("raise SystemExit('b4 of the tree')\n")
    monkeypatch.chdir(tmp_path)
    assert len(fetch(ID, lore=inbox.url, newer=False).messages) == 52
    subprocess.run(["git", "config", "--global", "b4.midmask", f"{inbox.url}%s"], check=True)
    assert len(fetch(ID, newer=False).messages) == 52


def test_mirror_in_the_users_configuration_is_used(inbox: Inbox, shared: Path) -> None:
    assert shared
    with _unused_port() as port:
        origin = inbox.url.removesuffix("/all/")
        key = f"liblore.http://127.0.0.1:{port}.fallback"
        subprocess.run(["git", "config", "--global", key, origin], check=True)
        assert len(fetch(ID, lore=f"http://127.0.0.1:{port}/all", newer=False).messages) == 52


# Servers that fail


def test_message_that_the_server_does_not_have(inbox: Inbox) -> None:
    with pytest.raises(NotFoundError) as caught:
        fetch("nobody@example.org", lore=inbox.url)
    assert "it has no such message" in str(caught.value)
    assert "nobody@example.org" in str(caught.value)


def test_server_that_is_down_is_not_a_message_not_found() -> None:
    # b4 answers both with None.
    with _unused_port() as port, pytest.raises(FetchError, match="could not be reached") as caught:
        fetch(ID, lore=f"http://127.0.0.1:{port}/all")
    assert not isinstance(caught.value, NotFoundError)
    assert "Connection refused" in str(caught.value)
    assert "reviewer.lore" in str(caught.value)


def test_url_without_an_archive_behind_it(inbox: Inbox) -> None:
    with pytest.raises(FetchError, match="there is no archive at that URL") as caught:
        fetch("nobody@example.org", lore=inbox.url.replace("/all/", "/nothing/"))
    assert not isinstance(caught.value, NotFoundError)


@pytest.mark.parametrize("status", [403, 429, 500, 503])
def test_server_that_refuses(serve: Serve, status: int) -> None:
    with pytest.raises(FetchError, match=f"did not answer the request .*{status}") as caught:
        fetch(ID, lore=serve(status, b"no", "text/plain"))
    assert not isinstance(caught.value, NotFoundError)


@pytest.mark.parametrize("body", [b"<html>Please log in</html>", gzip.compress(b"x" * 5000)[:40], b""])
def test_server_that_sends_something_else(serve: Serve, body: bytes) -> None:
    with pytest.raises(FetchError, match="as mail"):
        fetch(ID, lore=serve(200, body, "text/html"))


def test_server_that_sends_another_thread(serve: Serve) -> None:
    other = gzip.compress(mails.mboxrd(mail("[PATCH] one", "1@x")))
    with pytest.raises(NotFoundError, match="none of them with that id"):
        fetch(ID, lore=serve(200, other, "application/gzip"))


def test_server_that_never_answers() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(FetchError, match="no answer within"),
    ):
        fetch(ID, lore=f"http://127.0.0.1:{silent.getsockname()[1]}/all", timeout=1.5)


def test_search_for_newer_revisions_that_fails_is_said_and_stops_nothing(shared: Path) -> None:
    class Half(http.server.BaseHTTPRequestHandler):
        thread = gzip.compress((shared / "mail" / "threads" / "s390-gtp-deadlock-v2.mbox").read_bytes())

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(self.thread)))
            self.end_headers()
            self.wfile.write(self.thread)

        def do_POST(self) -> None:
            self.send_error(500)

        def log_message(self, *_args: object) -> None:
            return

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Half) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/all"
        thread = fetch("20241005045411.118720-1-danielyangkang@gmail.com", lore=url)
        server.shutdown()
    assert len(thread.messages) == 7
    assert "could not be asked for newer revisions" in thread.notes[0]
    assert thread.notes[0] in series_of(thread).notes


def test_archive_url_in_the_configuration_that_is_none() -> None:
    for url in ("lore.kernel.org/all", "ftp://lore.kernel.org/all", "https://user:secret@example.org/all"):
        with pytest.raises(UsageError, match="URL of a mail archive"):
            fetch(ID, lore=url)


# Attestation


def test_signatures_are_not_looked_at_unless_asked_for(shared: Path) -> None:
    path = str(shared / "mail" / "threads" / "s390-gtp-deadlock-v3.mbox")
    assert fetch(path).attestations == {}
    assert series_of(fetch(path)).attestations == ()


def test_attestation_is_shown_and_not_required(shared: Path) -> None:
    path = str(shared / "mail" / "threads" / "s390-gtp-deadlock-v3.mbox")
    series = series_of(fetch(path, attestation=True, offline=True))
    assert [entry.number for entry in series.attestations] == [1, 2]
    assert not any(entry.passing for entry in series.attestations)
    assert all(entry.summary == "no signature that could be checked" for entry in series.attestations)
    assert len(series.patches) == 2


def test_signature_without_a_key_is_said_to_be_one(tmp_path: Path) -> None:
    signature = "v=1; a=ed25519-sha256; t=1700000000; l=10; i=ann@example.org; bh=AAAA; h=from:subject; b=AAAA"
    path = tmp_path / "signed.eml"
    path.write_bytes(mail("[PATCH] one", "1@x", extra=(f"X-Developer-Signature: {signature}",)))
    (entry,) = series_of(fetch(str(path), attestation=True, offline=True)).attestations
    assert (entry.passing, entry.summary) == (False, "no key for ed25519/ann@example.org")


# The child


def test_child_that_dies_is_an_error_with_its_last_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    interpreter = tmp_path / "python"
    interpreter.write_text("#!/bin/sh\necho 'No module named b4' >&2\nexit 1\n")
    interpreter.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(interpreter))
    with pytest.raises(FetchError, match="status 1: No module named b4; check that b4"):
        fetch(ID)


def test_mixed_mailbox_is_no_error_before_somebody_has_to_choose(tmp_path: Path) -> None:
    path = tmp_path / "mixed.mbox"
    path.write_bytes(mails.mboxrd(mail("[PATCH] one", "1@x"), mail("[PATCH] two", "2@y", sender="B <b@example.org>")))
    thread = fetch(str(path))
    assert len(thread.messages) == 2
    with pytest.raises(SeriesError, match="2@y"):
        series_of(thread)
    assert len(fetch([str(path), "2@y"]).messages) == 1

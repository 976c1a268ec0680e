"""Files as they come: encodings, separators, quotes, broken ends; nothing raises, no line is lost."""

import csv
import io
import json
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import BinaryIO, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounced.exchange import Doubt, Entry, Left, Refused, names, open_source
from bounced.exchange.entry import Wrong
from bounced.exchange.values import moment
from bounced.spreadsheet import escaped
from tests.exchange.test_layouts import opened

HEAD = "address,scope,category,reason,since,until,why,actor,event_id\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_however_it_was_saved(encoding: str, separator: str, end: str) -> None:
    """A spreadsheet of any country: the same entries."""
    rows = [["E-Mail ".strip(), "Added"], ["ann@bücher.example", "2026-10-09 08:00:00"], ["bob@example.com", ""]]
    rows[0][0] = " EMAIL "
    text = end.join(separator.join(f'"{cell}"' for cell in row) for row in rows) + end

    found = list(opened(text.encode(encoding)).rows())

    assert [row.address for row in found if isinstance(row, Entry)] == ["ann@xn--bcher-kva.example", "bob@example.com"]
    assert [row.line for row in found] == [2, 3]


def test_a_quoted_cell_may_hold_anything() -> None:
    """Separators, quotes, line ends; the next row has the number of its own line."""
    text = HEAD + 'ann@example.com,*,hard,x,,,"a, ""b""\nc",me,\nbob@example.com,*,hard,x,,,d,me,\n'
    ann, bob = opened(text).rows()

    assert isinstance(ann, Entry)
    assert ann.why == 'a, "b"\nc'
    assert (ann.line, bob.line) == (2, 4)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("nobody,*,hard,x,,,d,me,", "no mail address"),
        ("ann@example.com,*,hard", "has 3 columns, want 9"),
        ("ann@example.com,*,hard,x,soon,,d,me,", "no time: 'soon'"),
        ('ann@example.com,*,hard,x,,,"d" e,me,', "',' expected after '\"'"),
        (f"ann@example.com,{'s' * 65},hard,x,,,d,me,", f"no scope: '{'s' * 65}'"),
        ("ann@example.com,*,hard,x,,," + "d" * 300_000, "the line is longer than 262144 characters"),
        ("ann@example.com,*,hard,x,,," + "d" * 200_000, "field larger than field limit (131072)"),
    ],
)
def test_a_wrong_line_is_named_and_the_next_one_read(line: str, why: str) -> None:
    """With its number and the reason."""
    refused, entry = opened(HEAD + line + "\nbob@example.com,*,hard,x,,,d,me,\n").rows()

    assert isinstance(refused, Refused)
    assert (refused.line, refused.why) == (2, why)
    assert isinstance(entry, Entry)
    assert (entry.line, entry.address) == (3, "bob@example.com")


def test_a_quotation_mark_left_open_swallows_no_more_than_some_lines() -> None:
    """What was swallowed is told."""
    good = "".join(f"u{n}@example.com,*,hard,x,,,d,me,\n" for n in range(300))
    rows = list(opened(HEAD + 'ann@example.com,*,hard,x,,,"open,me,\n' + good).rows())

    assert isinstance(rows[0], Refused)
    assert rows[0].why == "a quotation mark is opened and not closed within 100 lines (up to line 102)"
    assert [row.line for row in rows[1:]] == list(range(103, 303))


def test_a_quotation_mark_left_open_at_the_end() -> None:
    """The last row is refused, not cut."""
    (refused,) = opened(HEAD + 'ann@example.com,*,hard,x,,,"open').rows()

    assert refused == Refused(2, "unexpected end of data")


def test_json_that_breaks_off_says_where() -> None:
    """The records before it are there."""
    text = '{"Suppressions": [\n{"EmailAddress": "a@example.com", "SuppressionReason": "HardBounce"},\n{"EmailAdd'
    entry, refused = opened(text).rows()

    assert isinstance(entry, Entry)
    assert isinstance(refused, Refused)
    assert (entry.line, refused.line) == (2, 3)
    assert refused.why.startswith("the JSON document breaks off")


def test_a_broken_json_line_is_one_line() -> None:
    """Each of the others stands for itself."""
    lines = ['{"emailAddress":"a@example.com","reason":"BOUNCE"}', "{", "[]", '{"reason":"BOUNCE"}', ""]
    lines.append('{"emailAddress":"b@example.com","reason":"BOUNCE"}')
    rows = list(opened("\n".join(lines)).rows())

    assert [type(row) for row in rows] == [Entry, Refused, Refused, Refused, Entry]
    assert [row.line for row in rows] == [1, 2, 3, 4, 6]


@pytest.mark.parametrize(
    "text",
    [
        "2026-10-09T08:00:00Z",
        "2026-10-09T08:00:00.0000001Z",
        "2026-10-09 08:00:00",
        "2026-10-09T03:00:00-05:00",
        "2026-10-09 08:00:00 +0000 UTC",
        "2026-10-09 10:00:00.000000 +0200 CEST",
        "Fri, 09 Oct 2026 08:00:00 GMT",
        "Fri, 09 Oct 2026 08:00:00 UTC",
        "Fri, 09 Oct 2026 10:00:00 +0200",
        "1791532800",
        "1791532800.0",
        "1791532800000",
    ],
)
def test_times_in_every_form(text: str) -> None:
    """All the same moment."""
    assert moment(text) == datetime(2026, 10, 9, 8, tzinfo=UTC)


@given(st.text(max_size=40))
def test_no_text_makes_a_time_raise_anything_else(text: str) -> None:
    """A time, none, or Wrong."""
    try:
        found = moment(text)
    except Wrong:
        return
    assert found is None or found.tzinfo is UTC


@given(st.lists(st.text(max_size=12), min_size=1, max_size=6))
def test_an_escaped_cell_is_no_formula_and_reads_back(cells: list[str]) -> None:
    """Whatever the cells hold."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["address", "category", "actor", "why"])
    clean = [cell.replace("\r", " ") for cell in cells if cell.isprintable() or cell == "\t"]
    writer.writerows(["ann@example.com", "hard", "me", escaped(cell)] for cell in clean)
    rows = list(opened(out.getvalue()).rows())

    assert [row.why for row in rows if isinstance(row, Entry)] == clean
    assert not any(escaped(cell).startswith(("=", "+", "-", "@", "\t")) for cell in cells)


FILES = st.one_of(
    st.binary(max_size=300),
    st.text(max_size=300).map(str.encode),
    st.text(alphabet='{}[]":,\\aé@.\n\t 1', max_size=200).map(str.encode),
    st.builds(
        lambda head, body: head + body,
        st.sampled_from(
            [HEAD.encode(), b"ip,email,created\n", b'{"items":[', b'[{"email":"a@example.com","created":1}']
        ),
        st.text(alphabet='{}[]":,;\\aé@.\n\r\t 1', max_size=200).map(str.encode),
    ),
)


@given(FILES, st.sampled_from([None, *names()]))
def test_no_octets_raise(content: bytes, name: str | None) -> None:
    """A doubt, or rows."""
    source = open_source(io.BytesIO(content), name)
    if not isinstance(source, Doubt):
        assert all(isinstance(row, Entry | Left | Refused) for row in source.rows())


LINES = st.lists(st.text(alphabet=st.characters(exclude_characters='\r\n"', codec="utf-8"), max_size=40), max_size=12)


@given(LINES, st.sampled_from(["\n", "\r\n"]))
def test_every_line_is_accounted_for(lines: list[str], end: str) -> None:
    """Without quotation marks a line is a row: each that is not blank comes out once, under its number."""
    rows = opened(end.join(["ip,email,created", *lines]) + end).rows()

    told = [row.line for row in rows]
    assert told == [n for n, line in enumerate(lines, 2) if any(cell.strip() for cell in line.split(","))]


class Pieces:
    """A stream that is never there as a whole."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts

    def read(self, size: int) -> bytes:
        return next(self._parts, b"")[:size]


def test_memory_does_not_grow_with_the_file() -> None:
    """CSV, JSON lines, and one JSON document of some tens of megabytes each."""

    one = json.dumps({"emailAddress": "a@example.com", "reason": "BOUNCE"})
    files = [
        (HEAD, "ann@example.com,*,hard,x,,,d,me,\n", ""),
        ("", one + "\n", ""),
        ("[" + one, "," + one, "]"),
    ]
    for head, body, tail in files:
        parts = iter([head.encode(), *([body.encode() * 100] * 1000), tail.encode()])
        tracemalloc.start()
        source = open_source(cast(BinaryIO, Pieces(parts)))
        assert not isinstance(source, Doubt)
        count = sum(1 for row in source.rows() if isinstance(row, Entry))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

        assert count in (100_000, 100_001)
        assert peak < 3_000_000


def test_who_was_forgotten_comes_back_under_the_same_name() -> None:
    """An export holds what stands for the address; it is no address, and is kept as it is."""
    name = "hmac:" + "0a" * 32
    (entry,) = opened(HEAD + f"{name},*,hard,x,,,d,me,\n").rows()

    assert isinstance(entry, Entry)
    assert entry.address == name

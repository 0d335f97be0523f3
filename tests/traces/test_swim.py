"""The SWIM reader takes what the format allows and names the place of everything else."""

import gzip
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cluster_sim.errors import TraceError, UnknownNameError
from cluster_sim.traces import Trace, formats, read, read_swim
from cluster_sim.traces.lines import MAX_LINE_BYTES
from cluster_sim.traces.problems import MAX_SHOWN
from cluster_sim.traces.swim import MAX_VALUE

NINE = "a\t5\t5\t900\t1\t2\tlogs\t\t\nb\t7\t2\t0\t0\t0\tnone\t\t\nc\t7\t0\t30\t0\t0\tlogs\t\t\n"
SIX = "a\t5\t5\t900\t1\t2\nb\t7\t2\t0\t0\t0\nc\t7\t0\t30\t0\t0\n"


def assert_is_nine(trace):
    np.testing.assert_array_equal(trace.submit_seconds, [5, 7, 7])
    np.testing.assert_array_equal(trace.input_bytes, [900, 0, 30])
    np.testing.assert_array_equal(trace.path_index, [0, 1, 0])
    assert trace.path_names == ("logs", "none")
    assert (trace.n_jobs, trace.n_zero_byte_jobs, trace.n_paths) == (3, 1, 2)
    assert trace.has_paths


def test_nine_columns_give_paths(write):
    """A nine-column file is read column by column, paths numbered as they first appear."""
    path = write(NINE)
    trace = read(path)
    assert_is_nine(trace)
    assert trace.source == str(path)


def test_six_columns_give_each_job_its_own_index(write):
    """A six-column file is a trace without paths."""
    trace = read_swim(write(SIX))
    np.testing.assert_array_equal(trace.input_bytes, [900, 0, 30])
    np.testing.assert_array_equal(trace.path_index, [0, 1, 2])
    assert (trace.path_names, trace.has_paths, trace.n_paths) == ((), False, 3)


@pytest.mark.parametrize("name", ["day.tsv.gz", "day.tsv"])
def test_gzip_is_transparent(write, name):
    """A gzipped file reads as its content, whatever its name."""
    assert_is_nine(read_swim(write(gzip.compress(NINE.encode()), name)))


@pytest.mark.parametrize(
    "content",
    [NINE.removesuffix("\n"), NINE.replace("\n", "\r\n"), b"\xef\xbb\xbf" + NINE.encode()],
    ids=["no-last-line-end", "carriage-returns", "byte-order-mark"],
)
def test_editors_leave_no_trace(write, content):
    """What editors do to the ends of a text file changes nothing."""
    assert_is_nine(read_swim(write(content)))


def test_largest_number_is_read_exactly(write):
    """The documented bound itself is allowed."""
    assert read_swim(write(f"a\t0\t0\t{MAX_VALUE}\t0\t0\n")).input_bytes[0] == MAX_VALUE


def test_trace_is_frozen(write):
    """Neither the fields nor the arrays of a trace can be changed."""
    trace = read_swim(write(NINE))
    with pytest.raises(AttributeError):
        trace.source = "other"
    with pytest.raises(ValueError, match="read-only"):
        trace.input_bytes[0] = 1


ROW = "job\t9\t2\t3\t4\t5"
WRONG_ROWS = {
    "negative": ("c\t-9\t2\t3\t4\t5", r"column 2 \(submit seconds\) = '-9': must be a whole"),
    "fraction": ("c\t9\t2\t3.5\t4\t5", r"column 4 \(map input bytes\) = '3\.5': must be a whole"),
    "nan": ("c\t9\t2\tnan\t4\t5", r"column 4 \(map input bytes\) = 'nan': .* correct it or del"),
    "infinite": ("c\t9\t2\t3\tinf\t5", r"column 5 \(shuffle bytes\) = 'inf': must be"),
    "exponent": ("c\t9\t2\t3\t4\t1e3", r"column 6 \(reduce output bytes\) = '1e3': must be"),
    "empty-number": ("c\t9\t\t3\t4\t5", r"column 3 \(gap seconds\) = '': must be"),
    "sign": ("c\t+9\t2\t3\t4\t5", r"column 2 \(submit seconds\) = '\+9': must be"),
    "underscore": ("c\t9\t2\t3_0\t4\t5", r"column 4 \(map input bytes\) = '3_0': must be"),
    "space": ("c\t9 \t2\t3\t4\t5", r"column 2 \(submit seconds\) = '9 ': must be"),
    "other-digits": ("c\t٩\t2\t3\t4\t5", r"column 2 \(submit seconds\) = '٩': must be"),
    "too-large": (f"c\t9\t2\t{MAX_VALUE + 1}\t4\t5", f"from 0 to {MAX_VALUE} in plain digits"),
    "many-digits": (f"c\t9\t2\t{'9' * 9000}\t4\t5", r"= '9{40}'\.\.\.: must be a whole"),
    "one-column": ("c 9 2 3 4 5", r"1 column: must be 6, .* separate the columns by tabs"),
    "five-columns": ("c\t9\t2\t3\t4", "5 columns: must be 6, .* correct or delete the row"),
    "seven-columns": ("c\t9\t2\t3\t4\t5\tp", "7 columns: must be 6, .* end the row with tabs"),
    "nine-columns": ("c\t9\t2\t3\t4\t5\tp\t\t", "9 columns: must be 6 as in line 1; give all"),
    "blank": ("", "blank line: must be a row; delete the line"),
    "backwards": ("c\t6\t2\t3\t4\t5", r"= 6: must be at least 7, the time in line 2; sort"),
    "duplicate": ("a\t9\t2\t3\t4\t5", r"column 1 \(job id\) = 'a': already in line 1; .* rename"),
    "no-job-id": ("\t9\t2\t3\t4\t5", r"column 1 \(job id\) = '': must be a name; name the job"),
}


@pytest.mark.parametrize(("row", "message"), WRONG_ROWS.values(), ids=WRONG_ROWS)
def test_wrong_row_is_named(write, row, message):
    """An error names file, line, column, value, what is allowed and the remedy."""
    path = write("a\t5\t5\t900\t1\t2\nb\t7\t2\t0\t0\t0\n" + row + "\nd\t10\t1\t0\t0\t0\n")
    with pytest.raises(TraceError, match=re.escape(str(path)) + ":3: .*" + message) as caught:
        read_swim(path)
    assert str(caught.value).count("\n") == 0, "one mistake is one line"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("c\t9\t2\t3\t4\t5\t\t\t", r":4: column 7 \(input path\) = '': must be a name; name the"),
        ("c\t9\t2\t3\t4\t5\tp\tq\t", ":4: column 8 = 'q': must be empty; delete it"),
        ("c\t9\t2\t3\t4\t5\tp\t\tq", ":4: column 9 = 'q': must be empty; delete it"),
        ("c\t9\t2\t3\t4\t5", ":4: 6 columns: must be 9 as in line 1"),
        ("c\t9\t2\t3\t4\t5\tp", ":4: 7 columns: must be 9, .* end the row with tabs up to 9"),
    ],
)
def test_wrong_path_columns_are_named(write, row, message):
    """The last three columns are checked too."""
    with pytest.raises(TraceError, match=message):
        read_swim(write(NINE.replace("c", "b2") + row + "\n"))


def test_header_is_recognised(write):
    """A header line is one problem, and the message says that the format has none."""
    with pytest.raises(TraceError, match=r":1: 'job\\tsubmit.* is a header: .* none") as caught:
        read_swim(write("job\tsubmit\tgap\tmap\tshuffle\treduce\n" + SIX))
    assert "\n" not in str(caught.value)


def test_first_row_of_other_width_says_both_widths(write):
    """Before any good row, both widths are offered."""
    with pytest.raises(TraceError, match=":1: 4 columns: must be 6 or 9, separated"):
        read_swim(write("a\t5\t5\t900\n"))


def test_not_utf8(write):
    """A byte that is not UTF-8 is named with its place in the line."""
    with pytest.raises(TraceError, match=":2: byte 0xe9 at position 3 of the line is not UTF-8"):
        read_swim(write(b"a\t5\t5\t900\t1\t2\nb\t\xe9\t2\t0\t0\t0\n"))


def test_all_problems_are_reported_up_to_a_bound(write):
    """All rows are checked; the first problems are shown in order and the rest counted."""
    n_wrong = MAX_SHOWN + 5
    path = write(SIX + "".join(f"x{i}\t9\t0\tmany\t0\t0\n" for i in range(n_wrong)))
    with pytest.raises(TraceError, match=f"{n_wrong} problems in all; 5 are not shown") as caught:
        read_swim(path)
    lines = str(caught.value).splitlines()
    assert len(lines) == MAX_SHOWN + 1
    for number, line in enumerate(lines[:-1], start=4):
        assert line.startswith(f"{path}:{number}: column 4 ")


def test_one_row_can_have_several_problems(write):
    """Every wrong column of a row is named, in order of the columns of numbers, then the job."""
    with pytest.raises(TraceError) as caught:
        read_swim(write(SIX + "a\t1\tx\ty\t0\t0\n"))
    named = re.findall(r":4: column (\d)", str(caught.value))
    assert named == ["3", "4", "1", "2"]


def test_one_wrong_time_is_one_problem(write):
    """A time that leaps ahead makes one row go backwards, not all that follow."""
    with pytest.raises(TraceError, match=r":2: .* = 6: must be at least 99") as caught:
        read_swim(write("a\t99\t0\t1\t0\t0\nb\t6\t0\t1\t0\t0\nc\t7\t0\t1\t0\t0\n"))
    assert "\n" not in str(caught.value)


def test_whole_file_problems(write, tmp_path):
    """What is wrong with the file as such is said without a traceback of the system's error."""
    with pytest.raises(TraceError, match="is empty: must have at least one row of 6 or 9 columns"):
        read_swim(write(""))
    with pytest.raises(TraceError, match="is a directory: must be a file; name a file in it"):
        read_swim(tmp_path)
    with pytest.raises(TraceError, match=r"dat\.tsv: no such file\. Did you mean 'day\.tsv'\?"):
        read_swim(tmp_path / "dat.tsv")
    with pytest.raises(TraceError, match=r"no such file\. Check the path\."):
        read_swim(tmp_path / "something-else")
    with pytest.raises(TraceError, match=r"no such file\. The directory .*nowhere' does not exist"):
        read_swim(tmp_path / "nowhere" / "day.tsv")
    with pytest.raises(TraceError, match=r"cannot be opened .*: must be a file you may read"):
        read_swim(tmp_path / "day.tsv" / "inside")
    with pytest.raises(TraceError, match=r"cannot be opened .*null"):
        read_swim("day\0.tsv")


def test_binary_file(write):
    """A NUL byte ends the reading at once: the rest of a binary file would be noise."""
    with pytest.raises(TraceError, match=r":2: holds a NUL byte, so this is a binary file: .*gz"):
        read_swim(write(SIX.encode()[:14] + b"\0\0\n" * 50))


def test_endless_line(write):
    """A file without line ends does not fill the memory."""
    with pytest.raises(TraceError, match=f":1: longer than {MAX_LINE_BYTES} bytes: must be one"):
        read_swim(write("x" * (MAX_LINE_BYTES + 1)))


def test_earlier_problems_are_kept_when_reading_stops(write):
    """A problem that ends the reading comes after those before it."""
    with pytest.raises(TraceError, match=r":1: 1 column(.|\n)*:2: holds a NUL byte"):
        read_swim(write("x\n\0\n"))


@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_damaged_gzip(write, damage):
    """A gzipped file that is cut or damaged is an error with the line it was read up to."""
    rows = "".join(f"j{i}\t{i}\t1\t{i * i}\t0\t0\n" for i in range(5000))
    packed = bytearray(gzip.compress(rows.encode()))
    if damage == "cut":
        packed = packed[:-20]
    else:
        packed[-6] ^= 0xFF  # in the checksum: the data come out, and are refused at the end
    with pytest.raises(TraceError, match=r":\d+: cannot be read further \(.*\); get the file aga"):
        read_swim(write(bytes(packed)))


def test_file_that_opens_but_cannot_be_read(monkeypatch, write):
    """A failing device is an error of the trace."""
    path = write(SIX)

    def opened(self, mode):
        return FailingFile(path)

    monkeypatch.setattr(Path, "open", opened)
    with pytest.raises(TraceError, match=r"cannot be read \(Input/output error\)"):
        read_swim(path)


class FailingFile:
    def __init__(self, path):
        self.path = path

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def peek(self, n):
        raise OSError(5, "Input/output error")


def test_unknown_format(write):
    """An unknown format lists the known ones and the nearest."""
    with pytest.raises(UnknownNameError, match=r"'swin' is not known\. Did you mean 'swim'\?"):
        read(write(SIX), "swin")
    assert "swim" in formats()


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (([0, 1], [1], [0]), r"t: columns of shapes .* equally long"),
        (([[0]], [[1]], [[0]]), "must be one-dimensional"),
        (([], [], []), "t: no jobs: a trace needs at least one"),
        (([1, 0], [1, 1], [0, 1]), "submit_seconds must never decrease; sort the jobs"),
        (([0], [-1], [0]), "input_bytes has -1: must be at least 0"),
        (([0], [1], [1]), "path_index has values from 1 to 1: must be from 0 to 0"),
    ],
)
def test_trace_made_by_hand_is_checked(columns, message):
    """A trace that no file could give is refused."""
    with pytest.raises(TraceError, match=message):
        Trace("t", *columns)


mutations = st.lists(
    st.tuples(
        st.sampled_from(["replace", "insert", "delete", "duplicate", "cut"]),
        st.integers(0, 10**6),
        st.one_of(
            st.binary(min_size=1, max_size=4),
            st.sampled_from([b"\t", b"\n", b"-1", b"nan", b"\r\n", b"\x1f\x8b", b"9" * 30, b" "]),
        ),
    ),
    min_size=1,
    max_size=6,
)


def mutated(content, changes):
    for kind, place, piece in changes:
        at = place % (len(content) + 1)
        if kind == "replace":
            content = content[:at] + piece + content[at + len(piece) :]
        elif kind == "insert":
            content = content[:at] + piece + content[at:]
        elif kind == "delete":
            content = content[:at] + content[at + len(piece) :]
        elif kind == "duplicate":
            content = content[:at] + content[max(0, at - 30) :]
        else:
            content = content[:at]
    return content


@settings(
    deadline=None,
    max_examples=200,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(changes=mutations, base=st.sampled_from(["nine", "six", "gzip"]))
def test_any_damage_is_read_or_a_trace_error(tmp_path, changes, base):
    """Whatever happens to a good file, it gives a trace or a TraceError that names the file."""
    content = {"nine": NINE.encode(), "six": SIX.encode(), "gzip": gzip.compress(NINE.encode())}
    path = tmp_path / "day.tsv"
    path.write_bytes(mutated(content[base], changes))
    try:
        trace = read_swim(path)
    except TraceError as error:
        assert str(error).startswith(str(path))  # noqa: PT017 - either outcome is right
    else:
        assert trace.n_jobs > 0
        assert np.all(np.diff(trace.submit_seconds) >= 0)


@settings(
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    jobs=st.lists(
        st.tuples(
            st.integers(0, 1000),
            st.integers(0, MAX_VALUE),
            st.text(
                st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=8
            ),
        ),
        min_size=1,
    )
)
def test_what_is_written_is_read(tmp_path, jobs):
    """Reading gives back the columns of any well-formed file."""
    path = tmp_path / "day.tsv"
    submit, rows = 0, []
    for number, (gap, n_bytes, name) in enumerate(jobs):
        submit += gap
        rows.append(f"job{number}\t{submit}\t{gap}\t{n_bytes}\t0\t0\t{name}\t\t\n")
    path.write_text("".join(rows), encoding="utf-8")
    trace = read_swim(path)
    np.testing.assert_array_equal(trace.submit_seconds, np.cumsum([gap for gap, _, _ in jobs]))
    np.testing.assert_array_equal(trace.input_bytes, [n_bytes for _, n_bytes, _ in jobs])
    assert [trace.path_names[i] for i in trace.path_index] == [name for _, _, name in jobs]

"""The scoreboard runs what is installed, names what is not, and clears this library."""

from dataclasses import replace

import pytest

from divergences.testing import scoreboard

ENTRIES = {f"{entry.library} {entry.function}": entry for entry in scoreboard.ENTRIES}


def test_this_library_fails_no_law():
    ours = [entry for entry in scoreboard.ENTRIES if entry.library == "divergences"]
    rows = scoreboard.run(ours, max_examples=10)
    assert all(row.report.ok for row in rows), scoreboard.markdown(rows)
    assert len(rows) == 6


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("scipy stats.entropy", "silently normalises"),
        ("torch nn.functional.kl_div (default)", "mean instead of"),
        ("pot emd2_1d, ", "W_p^p"),
        ("pot emd", "none of 4"),
    ],
)
def test_others_fail_what_they_are_known_for(name, words):
    (row,) = scoreboard.run([ENTRIES[name.rstrip(", ")]], max_examples=10)
    assert words in scoreboard.markdown([row])
    assert f"{row.entry.library} {row.version}" in scoreboard.markdown([row])


def test_a_missing_library_is_named_and_skipped():
    entry = replace(scoreboard.ENTRIES[0], library="absent", module="absent_library")
    text = scoreboard.markdown(scoreboard.run([entry]))
    assert "| absent |" in text
    assert "not installed, skipped" in text

# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The counters of passes, and the durations of stopwatches."""

from __future__ import annotations

from ansible_collections.ovn.interconnect.plugins.module_utils.interconnect.engine.runs import Runs, Stopwatch


def test_a_pass_counts_once_for_each_subject_that_had_changes() -> None:
    runs = Runs(["a", "b", "c"], lambda: 0.0)
    runs.changed(["a", "b"])
    runs.changed(["a"])
    runs.forced("b")
    runs.begin()
    runs.begin()
    assert (runs.compute, runs.recompute) == ({"a": 1, "b": 0, "c": 0}, {"a": 0, "b": 1, "c": 0})
    assert (runs.total, runs.full) == (1, 0)


def test_a_full_pass_looks_at_all_keys_of_all_subjects() -> None:
    runs = Runs(["a", "b"], lambda: 0.0)
    for name in ("a", "b"):
        runs.forced(name)
    runs.begin()
    assert (runs.total, runs.full) == (1, 1)
    runs.clear()
    assert (runs.total, runs.full, runs.recompute) == (0, 0, {"a": 0, "b": 0})


def test_only_timed_subjects_are_timed() -> None:
    now = [0.0]
    runs = Runs(["a", "b"], lambda: now[0])
    runs.enter("a")
    runs.enter(None)
    runs.timed["a"] = Stopwatch()
    for subject, seconds in (("a", 0.25), ("a", 0.25), ("b", 1.0), (None, 0.0)):
        runs.enter(subject)
        now[0] += seconds
    assert (runs.timed["a"].count, runs.timed["a"].maximum) == (1, 500.0)


def test_the_averages_of_a_stopwatch_weigh_the_newest_sample_with_a_half_and_a_hundredth() -> None:
    watch = Stopwatch()
    for milliseconds in (0.0, 0.0, 1.0, 0.0):
        watch.add(milliseconds)
    assert (watch.count, watch.maximum, watch.minimum) == (4, 1.0, 0.0)
    assert (watch.short_term, round(watch.long_term, 6)) == (0.25, 0.0099)
    assert 0.0 < watch.percentile < 1.0

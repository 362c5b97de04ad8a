"""PSU totals: one pass, the same bits every time, nothing lost between domains."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from analysis.design import Design
from analysis.layout import lay
from analysis.table import Table
from analysis.totals import Coded, Slopes, collect, spread


def sample_of(psu, weight=None):
    weight = np.ones(len(psu)) if weight is None else weight
    return lay(Design("w", psu="psu", lonely_psu="remove"), Table.of({"w": weight, "psu": list(map(str, psu))}))


def test_totals_are_kept_by_domain_and_psu():
    sample = sample_of([1, 1, 2, 2], np.array([1.0, 2.0, 3.0, 4.0]))
    y = np.array([1.0, 0.0, 1.0, 1.0]), np.array([1.0, 1.0, 1.0, 0.0])
    totals = collect(sample, np.array([0, 1, 0, 0]), 2, [lambda: y])
    assert totals.unit.tolist() == [0, 1, 0]
    assert totals.numerator[:, 0].tolist() == [1.0, 7.0, 0.0]
    assert totals.denominator[:, 0].tolist() == [1.0, 3.0, 2.0]
    assert totals.count.tolist() == [1, 2, 1]
    assert totals.weight.tolist() == [1.0, 7.0, 2.0]


def test_rows_in_no_domain_leave_no_trace_but_their_psu_stays_in_the_design():
    sample = sample_of([1, 2, 3, 4])
    y = np.ones(4), np.ones(4)
    totals = collect(sample, np.array([0, 0, -1, -1]), 1, [lambda: y])
    assert totals.count.sum() == 2
    assert sample.df(totals.members(0)) == 1
    assert sample.design_df == 3


@given(
    hnp.arrays(float, 30, elements=st.floats(0.5, 50)),
    hnp.arrays(np.int64, 30, elements=st.integers(-1, 3)),
    hnp.arrays(np.int64, 30, elements=st.integers(0, 5)),
)
def test_domains_add_up_to_the_whole(weight, domain, psu):
    sample = sample_of(psu, weight)
    y = np.linspace(0, 1, 30), np.ones(30)
    parts = collect(sample, domain, 4, [lambda: y])
    inside = collect(sample, np.where(domain >= 0, 0, -1), 1, [lambda: y])
    assert np.allclose(sum(parts.sums(d)[0] for d in range(4)), inside.sums(0)[0])
    assert parts.count.sum() == (domain >= 0).sum()


def test_the_same_data_give_the_same_bits():
    rng = np.random.default_rng(7)
    sample = sample_of(rng.integers(0, 50, 5000), rng.uniform(1, 9, 5000))
    y, domain = (rng.uniform(size=5000), np.ones(5000)), rng.integers(0, 5, 5000)
    once, again = (collect(sample, domain, 5, [lambda: y]) for _ in range(2))
    assert once.numerator.tobytes() == again.numerator.tobytes()


@given(hnp.arrays(np.int8, 40, elements=st.integers(-1, 3)), hnp.arrays(np.int64, 40, elements=st.integers(-1, 2)))
def test_sums_by_answer_are_the_sums_by_person(codes, domain):
    rng = np.random.default_rng(9)
    sample = sample_of(rng.integers(0, 6, 40), rng.uniform(1, 9, 40))
    coded = Coded(codes, np.array([0.0, 2.5, 4.0, 1.0, 0.0]), np.array([True, True, False, True, False]))
    quick, slow = (collect(sample, domain, 3, [how]) for how in (coded, lambda: coded()))
    assert np.allclose(quick.numerator, slow.numerator, rtol=1e-14, atol=0)
    assert np.allclose(quick.denominator, slow.denominator, rtol=1e-14, atol=0)


def test_whole_numbers_are_coded_alike_however_they_are_stored():
    answers = [3, None, 1, 5, 3]
    for column in (pa.array(answers, pa.int8()), pa.array(answers, pa.int64()), pa.array(answers, pa.float64())):
        codes, labels = Table(pa.table({"q": column})).labels("q")
        assert [labels[c] if c >= 0 else None for c in codes] == ["3", None, "1", "5", "3"]
        assert labels == ["1", "3", "5"]


def test_the_second_pass_counts_a_person_once_for_a_node_of_several_leaves():
    sample = sample_of([1, 2, 3])
    pairs = [
        (np.array([1.0, 0.0, 0.0]), np.array([1.0, 1.0, 0.0])),
        (np.array([1.0, 0.0, 0.0]), np.array([1.0, 0.0, 0.0])),
    ]
    statistics = [lambda: pairs[0], lambda: pairs[1]]
    totals = collect(sample, np.zeros(3, dtype=int), 1, statistics)
    zero = Slopes(np.zeros((1, 3, 2)), np.zeros((1, 3, 2)))
    counts = np.array([[True, False], [False, True], [True, True]])
    assert spread(totals, statistics, zero, counts).n.tolist() == [[2.0, 1.0, 2.0]]

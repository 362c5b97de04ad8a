"""Design-based tests against simple cases, their own level by simulation, and what cannot be tested."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis import Design, mean
from analysis.testing import STATISTICS, independence_test, two_sample_t
from survey.errors import InputError


def people(seed: int, villages: int = 40, size: int = 8, effect: float = 0.0, lean: float = 1.0) -> pd.DataFrame:
    """Answers that neighbours share: each village leans to one channel and to one answer, independently."""
    random = np.random.default_rng(seed)
    rows = []
    for village in range(villages):
        lean_channel, lean_answer = random.beta(lean, lean), random.beta(lean, lean)
        for _ in range(size):
            channel = random.random() < lean_channel
            answer = random.random() < np.clip(lean_answer + effect * channel, 0, 1)
            rows.append((f"v{village}", "web" if channel else "office", "yes" if answer else "no", random.normal()))
    return pd.DataFrame(rows, columns=["village", "channel", "answer", "minutes"])


def test_under_simple_random_sampling_pearson_s_test_comes_back():
    """A with-replacement variance is n/(n − 1) times the multinomial one: the only difference."""
    data = people(1)
    classic = stats.chi2_contingency(pd.crosstab(data["channel"], data["answer"]), correction=False)
    n = len(data)
    ours = independence_test(data, "channel", "answer", Design(), "chi2")
    assert ours.pearson == pytest.approx(classic.statistic, rel=1e-12)
    assert ours.df == classic.dof
    # δ is estimated under the alternative, hence equal only up to the association itself.
    assert ours.p == pytest.approx(stats.chi2.sf(classic.statistic * (n - 1) / n, 1), abs=0.01)


@pytest.mark.parametrize("statistic", STATISTICS)
def test_counting_everybody_twice_changes_no_p_value(statistic):
    data = people(2, effect=0.1)
    design = Design(psu="village")
    once = independence_test(data, "channel", "answer", design, statistic)
    twice = independence_test(pd.concat([data, data]), "channel", "answer", design, statistic)
    assert twice.p == pytest.approx(once.p, rel=1e-9)
    assert (twice.df, twice.ddf) == pytest.approx((once.df, once.ddf))


@pytest.mark.parametrize("statistic", ["F", "adjusted_wald"])
def test_a_true_null_is_rejected_in_five_percent_of_the_draws(trials, statistic):
    """Clustered answers: Pearson's own test would reject in three draws of ten."""
    draws = trials(150, 2000)
    design = Design(psu="village")
    p, naive = [], []
    for seed in range(draws):
        data = people(seed, lean=0.3)
        p.append(independence_test(data, "channel", "answer", design, statistic).p)
        table = pd.crosstab(data["channel"], data["answer"])
        naive.append(stats.chi2_contingency(table, correction=False).pvalue)
    assert np.mean(np.array(p) < 0.05) == pytest.approx(0.05, abs=3.5 * np.sqrt(0.05 * 0.95 / draws))
    assert np.mean(np.array(naive) < 0.05) > 0.2


def test_an_association_is_found():
    data = people(3, villages=80, effect=0.4)
    assert independence_test(data, "channel", "answer", Design(psu="village")).p < 0.001


def test_missing_answers_leave_the_table_and_stay_in_the_design():
    data = people(4)
    blank = data.assign(answer=data["answer"].where(data["village"] != "v0"))
    found = independence_test(blank, "channel", "answer", Design(psu="village"))
    assert found.ddf / found.df == 39
    dropped = independence_test(blank.dropna(), "channel", "answer", Design(psu="village"))
    assert found.pearson == pytest.approx(dropped.pearson)
    assert dropped.ddf / dropped.df == 38


def test_tables_of_more_than_two_answers_have_all_their_degrees_of_freedom():
    data = people(5).assign(region=lambda d: np.resize(["n", "c", "s"], len(d)))
    found = independence_test(data, "region", "answer", Design(psu="village"), "adjusted_wald")
    assert (found.df, found.ddf) == (2, 38)


def test_what_cannot_be_tested_is_answered_with_what_to_do():
    data = people(6)
    with pytest.raises(InputError, match="column answer: at least two different answers are needed"):
        independence_test(data.assign(answer="yes"), "channel", "answer", Design())
    few = data.assign(village=np.resize(["a", "b"], len(data)), region=np.resize(list("abc"), len(data)))
    with pytest.raises(InputError, match=r"too few sampled units .* use the statistic F"):
        independence_test(few, "region", "answer", Design(psu="village"), "wald")
    with pytest.raises(ValueError, match="adjusted_wald"):
        independence_test(data, "channel", "answer", Design(), "guess")


# -- t test -------------------------------------------------------------------------------------------------------


def test_the_difference_is_that_of_the_two_domain_means():
    data = people(7)
    design = Design(psu="village")
    found = two_sample_t(data, "minutes", "channel", design)
    means = mean(data, "minutes", design, "channel")
    assert (found.first, found.second) == ("office", "web")
    assert found.difference == pytest.approx(means[1].value - means[0].value)
    assert found.se == pytest.approx(np.sqrt(means.contrast([[-1, 1]], ["d"]).variance[0]))
    assert found.df == 38
    assert found.p == pytest.approx(2 * stats.t.sf(abs(found.t), 38))
    assert (found.low + found.high) / 2 == pytest.approx(found.difference)


def test_without_a_design_it_is_close_to_welch_s_test():
    data = people(8, villages=100)
    ours = two_sample_t(data, "minutes", "channel", Design())
    groups = [part["minutes"] for _, part in data.groupby("channel")]
    welch = stats.ttest_ind(groups[1], groups[0], equal_var=False)
    assert ours.t == pytest.approx(welch.statistic, rel=2e-3)


def test_two_of_several_groups_are_named_and_the_others_stay_out():
    data = people(9).assign(region=lambda d: np.resize(["n", "c", "s"], len(d)))
    design = Design(psu="village")
    found = two_sample_t(data, "minutes", "region", design, ["n", "s"])
    only = data.assign(region=data["region"].where(data["region"] != "c"))
    assert found == two_sample_t(only, "minutes", "region", design, ["n", "s"])
    with pytest.raises(InputError, match="exactly two groups are needed, there are: c, n, s"):
        two_sample_t(data, "minutes", "region", design)
    with pytest.raises(InputError, match="exactly two groups"):
        two_sample_t(data, "minutes", "region", design, ["n", "x"])


def test_a_group_without_a_single_value_does_not_spoil_the_others():
    data = people(10).assign(region=lambda d: np.resize(["n", "c", "s"], len(d)))
    data["minutes"] = data["minutes"].where(data["region"] != "c")
    assert np.isfinite(two_sample_t(data, "minutes", "region", Design(psu="village")).p)

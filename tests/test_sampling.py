"""Drawing samples: reproducible, and with exactly the probabilities that are written beside the units."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey.errors import InputError, Problems
from survey.fieldwork.sampling import Drawn, Stage, draw
from survey.fieldwork.selection import allocate, inclusion, permutation, pps_systematic, systematic
from tests.outside import SOAK

DRAWS = 100_000 if SOAK else 4_000
# Inclusion frequencies over DRAWS lie within four standard errors, sqrt(p(1-p)/DRAWS) ≤ 0.5 / sqrt(DRAWS).
NEAR = 4 * 0.5 / DRAWS**0.5


def frame(sizes: dict[str, int], **more: str) -> list[dict[str, str]]:
    """One row a person, numbered within villages of the given sizes."""
    return [
        {"id": f"{village}-{n:03}", "village": village, "persons": str(size), **more}
        for village, size in sizes.items()
        for n in range(size)
    ]


def frequencies(draws: list[list[Drawn]]) -> dict[str, float]:
    counts = Counter(unit.row["id"] for drawn in draws for unit in drawn if unit.list == "main")
    return {key: count / len(draws) for key, count in counts.items()}


VILLAGES = {"A": 12, "B": 6, "C": 9, "D": 3}
TWO_STAGES = (Stage("village", take=2, method="pps", size="persons"), Stage(take=2))


def test_a_seed_gives_the_same_sample_whatever_the_order_of_the_file():
    rows = frame(VILLAGES)
    shuffled = [rows[i] for i in permutation(len(rows), random.Random("order"))]
    assert draw(rows, TWO_STAGES, "2026", "id") == draw(shuffled, TWO_STAGES, "2026", "id")
    assert draw(rows, TWO_STAGES, "2026", "id") != draw(rows, TWO_STAGES, "2027", "id")


def test_the_sample_of_a_seed_is_the_same_on_every_version_of_python():
    drawn = draw(frame(VILLAGES), TWO_STAGES, "2026", "id")
    assert [unit.row["id"] for unit in drawn] == ["A-009", "A-003", "B-001", "B-002"]


def test_a_change_in_one_stratum_moves_no_draw_in_another():
    north = frame({"A": 12, "B": 6}, stratum="north")
    south = frame({"C": 9, "D": 3}, stratum="south")
    grown = frame({"C": 9, "D": 3, "E": 30}, stratum="south")
    of_north = [u for u in draw(north + south, TWO_STAGES, "s", "id", ["stratum"]) if u.stratum == "north"]
    assert of_north == [u for u in draw(north + grown, TWO_STAGES, "s", "id", ["stratum"]) if u.stratum == "north"]


@pytest.mark.soak
def test_pps_then_equal_numbers_gives_every_person_the_same_chance():
    rows = frame({"A": 8, "B": 6, "C": 10, "D": 6})
    draws = [draw(rows, TWO_STAGES, str(seed), "id") for seed in range(DRAWS)]
    assert {round(unit.probability, 12) for drawn in draws for unit in drawn} == {round(4 / 30, 12)}
    seen = frequencies(draws)
    assert len(seen) == 30
    assert all(abs(share - 4 / 30) < NEAR for share in seen.values())


def test_each_stage_keeps_its_probability_its_population_and_its_number():
    drawn = draw(frame({"A": 8, "B": 6, "C": 10, "D": 6}), TWO_STAGES, "1", "id")
    for unit in drawn:
        size = int(unit.row["persons"])
        assert unit.stages == ((pytest.approx(2 * size / 30), 4, 2), (pytest.approx(2 / size), size, 2))


@pytest.mark.soak
def test_a_seat_is_always_taken_and_the_others_share_what_is_left():
    rows = [{**row, "seat": "1" if row["village"] == "D" else ""} for row in frame(VILLAGES)]
    stages = (Stage("village", take=2, method="pps", size="persons", certainty="seat"), Stage(take=1))
    draws = [draw(rows, stages, str(seed), "id") for seed in range(DRAWS)]
    villages = Counter(unit.row["village"] for drawn in draws for unit in drawn)
    assert villages["D"] == DRAWS
    for village in "ABC":
        assert abs(villages[village] / DRAWS - VILLAGES[village] / 27) < NEAR
    seats = [unit for drawn in draws for unit in drawn if unit.row["village"] == "D"]
    assert all(unit.certain and unit.stages[0][0] == 1.0 for unit in seats)


def test_a_village_too_large_for_its_chance_becomes_certain():
    assert inclusion([90, 5, 5], 2) == [1.0, 0.5, 0.5]
    assert inclusion([60, 60, 5, 5], 3) == [1.0, 1.0, 0.5, 0.5]


@given(
    st.lists(st.integers(1, 1000), min_size=2, max_size=40).flatmap(
        lambda sizes: st.tuples(st.just(sizes), st.integers(1, len(sizes)), st.integers())
    )
)
def test_inclusion_probabilities_add_up_and_systematic_pps_takes_exactly_that_many(case):
    sizes, take, seed = case
    probabilities = inclusion(sizes, take)
    assert sum(probabilities) == pytest.approx(take)
    assert all(0 < p <= 1 for p in probabilities)
    hit = pps_systematic(probabilities, random.Random(seed))
    assert len(hit) == len(set(hit)) == take
    assert {i for i, p in enumerate(probabilities) if p == 1.0} <= set(hit)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n), st.integers())))
def test_systematic_numbers_are_distinct_and_evenly_spread(case):
    count, take, seed = case
    chosen = systematic(count, take, random.Random(seed))
    assert len(set(chosen)) == take
    assert 0 <= chosen[0] <= chosen[-1] < count
    assert all(abs(b - a - count / take) <= 1 for a, b in pairwise(chosen))


@pytest.mark.soak
@pytest.mark.parametrize("method", ["srs", "systematic"])
def test_the_reserve_list_is_ordered_and_takes_nothing_from_the_chances_of_the_main_list(method: str):
    rows = frame({"A": 10})
    stages = (Stage(take=3, method=method, reserve=2),)
    draws = [draw(rows, stages, str(seed), "id") for seed in range(DRAWS)]
    lists = [[(unit.list, unit.order) for unit in drawn] for drawn in draws]
    assert lists == [[("main", 1), ("main", 2), ("main", 3), ("reserve", 1), ("reserve", 2)]] * DRAWS
    assert all(len({unit.row["id"] for unit in drawn}) == 5 for drawn in draws)
    assert all(abs(share - 0.3) < NEAR for share in frequencies(draws).values())
    assert {unit.probability for drawn in draws for unit in drawn} == {0.3}


def test_systematic_follows_the_order_column():
    rows = [{"id": f"{n:02}", "village": "A", "road": f"{99 - n:02}"} for n in range(20)]
    drawn = draw(rows, (Stage(take=4, method="systematic", order="road"),), "1", "id")
    places = [int(unit.row["road"]) for unit in drawn]
    assert [b - a for a, b in pairwise(places)] == [5, 5, 5]


@pytest.mark.soak
def test_with_replacement_a_village_hit_twice_counts_as_two_and_asks_no_one_twice():
    rows = frame({"A": 20, "B": 5, "C": 5})
    stages = (Stage("village", take=4, method="pps_wr", size="persons"), Stage(take=1))
    draws = [draw(rows, stages, str(seed), "id") for seed in range(DRAWS)]
    hits: Counter[str] = Counter()
    for drawn in draws:
        assert len({unit.row["id"] for unit in drawn}) == len({unit.psu for unit in drawn}) == 4
        hits.update(unit.row["village"] for unit in drawn)
    # Expected hits, with a standard error of sqrt(4 p (1 - p) / DRAWS) ≤ 1 / sqrt(DRAWS).
    assert hits["A"] / DRAWS == pytest.approx(4 * 20 / 30, abs=4 / DRAWS**0.5)
    assert hits["B"] / DRAWS == pytest.approx(4 * 5 / 30, abs=4 / DRAWS**0.5)
    assert {round(unit.probability, 12) for drawn in draws for unit in drawn} == {round(4 / 30, 12)}


@pytest.mark.soak
def test_a_sum_over_the_sample_by_inverse_probabilities_estimates_the_population():
    rows = [{**row, "income": str(int(row["id"][-3:]) + ord(row["village"]))} for row in frame(VILLAGES)]
    truth = sum(int(row["income"]) for row in rows)
    stages = (Stage("village", take=2), Stage(take=2))
    draws = [draw(rows, stages, str(seed), "id") for seed in range(DRAWS)]
    estimates = [sum(int(unit.row["income"]) / unit.probability for unit in drawn) for drawn in draws]
    spread = (sum((e - truth) ** 2 for e in estimates) / DRAWS) ** 0.5
    assert abs(sum(estimates) / DRAWS - truth) < 4 * spread / DRAWS**0.5


@given(st.dictionaries(st.text("abc", min_size=1), st.integers(1, 10**6), min_size=1, max_size=12), st.integers(0, 500))
def test_an_allocation_adds_up_and_is_as_proportional_as_whole_numbers_allow(sizes, extra):
    total = 2 * len(sizes) + extra
    given_out = allocate(total, sizes, at_least=2)
    assert sum(given_out.values()) == total
    assert min(given_out.values()) >= 2
    large = {name: size for name, size in sizes.items() if given_out[name] > 2}
    shared = sum(given_out[name] for name in large)
    for name, size in large.items():
        assert abs(given_out[name] - shared * size / sum(large.values())) < 2


def test_an_allocation_by_hand():
    assert allocate(20, {"a": 80, "b": 19, "c": 1}, at_least=2) == {"a": 15, "b": 3, "c": 2}
    assert allocate(7, {"a": 50, "b": 30, "c": 20}) == {"a": 4, "b": 2, "c": 1}


def test_a_total_is_shared_among_strata_by_their_size():
    rows = frame({"A": 40, "B": 40}, stratum="north") + frame({"C": 15, "D": 5}, stratum="south")
    drawn = draw(rows, (Stage(total=20),), "1", "id", ["stratum"])
    assert Counter(unit.stratum for unit in drawn) == {"north": 16, "south": 4}
    assert {unit.stages for unit in drawn} == {((0.2, 80, 16),), ((0.2, 20, 4),)}


def test_an_allocation_that_cannot_give_each_stratum_its_least_is_refused():
    with pytest.raises(InputError, match="3 is not enough for 2 strata with at least 2 each"):
        allocate(3, {"north": 1, "south": 2}, at_least=2)


def test_every_fault_of_a_frame_is_told_at_once():
    rows = frame({"A": 2, "B": 2})
    rows[0]["persons"] = "many"
    rows[3]["persons"] = "5"
    rows[2]["id"] = rows[1]["id"]
    with pytest.raises(Problems) as caught:
        draw(rows, TWO_STAGES, "1", "id")
    assert caught.value("en").splitlines() == [
        "frame, column id: 'A-001' stands in 2 rows; every row needs a key of its own",
        "frame, row 1, column persons: 'many' is not a positive number; correct the size or leave the row out",
        "frame, row 4, column persons: B has two sizes: 2 and 5; write the same size in all of its rows",
    ]


def test_a_cluster_that_is_too_small_is_named_with_what_was_wanted():
    with pytest.raises(Problems) as caught:
        draw(frame({"A": 2, "B": 9}), (Stage("village", take=2), Stage(take=2, reserve=1)), "1", "id")
    assert (
        caught.value("en")
        == "A: has 2 units, but 2 main and 1 reserve are to be drawn; draw fewer or complete the frame"
    )


def test_a_missing_column_is_named_with_those_there_are():
    with pytest.raises(Problems, match="column ward: the frame has no such column; it has id, persons, village"):
        draw(frame({"A": 2}), (Stage(take=1),), "1", "id", ["ward"])

"""The fabrication trial in small: fabricating enumerators are noticed, honest ones are left in peace."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from benchmarks.fabrication import ANY, HONEST, ORIGINAL, WAYS, instrument, judged, trial

SEEN = {"copy": "match", "straight": "straight", "random": "uneven", "speed": "short"}


@pytest.mark.soak
def test_fabricated_interviews_are_noticed_and_honest_ones_left_in_peace(trials: Callable[[int, int], int]):
    items = instrument()
    interviews, enumerators = judged(trial(items, seed) for seed in range(trials(2, 20)))
    assert set(interviews.total) >= set(WAYS)
    for way, check in SEEN.items():
        assert interviews.share(check, way) > 0.7, (way, interviews)
    noticed = sum(enumerators.flagged[ANY, way] for way in SEEN)
    assert noticed > 0.8 * sum(enumerators.total[way] for way in SEEN)
    for told, most in ((interviews, 0.02), (enumerators, 0.06)):
        assert told.share(ANY, HONEST) <= most, told
    assert interviews.share("match", ORIGINAL) > 0.5
    # What a clever inventor makes up looks like what people say: no check finds it, and back-checks must.
    assert interviews.share(ANY, "likely") < 0.1

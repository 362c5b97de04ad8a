"""Covariances carried from one scores file to the next: the influence sums per PSU that ``score --out`` writes.

``X.psu.parquet`` beside ``X.csv`` holds, by round, domain and code, what each PSU contributes, and in its metadata what
the variance needs of the design. Node values computed from the file's codes then keep their standard errors.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.sample import Sample, Stage


@dataclass(frozen=True)
class Carried:
    """Influence sums of a scores file: the PSUs as units of a sample, and the sums in a frame indexed by PSU."""

    sample: Sample
    sums: pd.DataFrame

    def of(self, round: str, level: str, domain: str, codes: Sequence[str]) -> tuple[np.ndarray, np.ndarray] | None:
        """``(units, sums)`` of ``codes`` in one domain of a round, one column a code; ``None`` if any has none."""
        same = (self.sums["round"] == round) & (self.sums["domain_level"] == level) & (self.sums["domain"] == domain)
        here = self.sums[same]
        wide = here.pivot(index="unit", columns="code", values="influence")
        if not len(wide) or not set(codes) <= set(wide.columns):
            return None
        wide = wide.sort_index()
        return wide.index.to_numpy(), wide[list(codes)].fillna(0.0).to_numpy()


def beside(file: Path) -> Carried | None:
    """The influence sums beside a scores file, if they are there and PSU sums are all that its variance needs."""
    from pyarrow import parquet

    place = file.with_suffix(".psu.parquet")
    if not place.is_file():
        return None
    table = parquet.read_table(place)
    written = (table.schema.metadata or {}).get(b"survey.design")
    design: dict[str, Any] = json.loads(written) if written else {"stages": 0}
    if design["stages"] != 1:
        return None  # a second stage adds a variance within PSUs that their sums do not hold
    frame = table.to_pandas().astype(dict.fromkeys(("round", "domain_level", "domain", "code", "stratum", "psu"), str))
    place_of = {name: h for h, name in enumerate(design["strata"])}
    psus = frame[["stratum", "psu"]].drop_duplicates()
    psus = psus.assign(h=psus["stratum"].map(place_of)).sort_values(["h", "psu"]).reset_index(drop=True)
    psus["unit"] = np.arange(len(psus))
    stage = Stage(
        unit=np.arange(len(psus)),
        stratum=psus["h"].to_numpy(),
        size=np.array(design["size"]),
        scale=np.array(design["scale"]),
        fraction=1 - np.array(design["scale"]),
    )
    sample = Sample(
        weight=np.ones(len(psus)),
        unit=np.arange(len(psus)),
        stages=(stage,),
        psu_names=psus["psu"].tolist(),
        stratum_names=design["strata"],
        lonely_psu=design["lonely_psu"],
        level=design["level"],
    )
    return Carried(sample, frame.merge(psus, on=["stratum", "psu"]))

"""What a case of the statistical oracles asks for, in terms of our own API. Used by the tests only."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit, stdtrit

from analysis.design import Calibration, Design, Replicates
from analysis.estimation import Estimate, Estimates, domains_of, mean, population_variance, proportion, ratio, total
from analysis.index import Index, index_of
from analysis.proportions import proportion_interval
from analysis.quantiles import RULES, quantile
from analysis.reading import read_rows, read_table
from analysis.regression import logistic
from analysis.scores import Scores, score
from analysis.table import Table
from tests import oracle_models

Case = dict[str, Any]
Answer = list[dict[str, Any]]


DESIGN_KEYS = {
    *("type", "strata", "psu", "stages", "nest", "weights", "fpc", "fpc_meaning", "n", "note", "df", "rows"),
    *("pps", "variance", "joint_probabilities_file", "probability"),
    *("replicate_weights_file", "replicate_factors_file", "key", "combined", "scale", "rscales", "mse"),
}
"""What a case may say of its design for us to understand it; anything else would be silently ignored."""


def not_built(case: Case) -> str:
    """What of the case is not built yet; "" where everything is."""
    kind = case["estimator"]["kind"]
    if kind in oracle_models.CHECKS:
        return ""
    if kind not in ANSWERS:
        return f"kind {kind}"
    unknown = case["design"].keys() - DESIGN_KEYS
    if unknown:
        return f"design {', '.join(sorted(unknown))} (kind {kind})"
    for step in case.get("weighting") or ():
        if step["step"] not in ("poststratify", "rake", "calibrate"):
            return f"weighting {step['step']} (kind {kind})"
    return ""


def check(case: Case, folder: Path) -> None:
    """Our figures for the case against R's."""
    kind = case["estimator"]["kind"]
    if kind in oracle_models.CHECKS:
        oracle_models.CHECKS[kind](case, lambda: _Question(case, folder))
    else:
        compare(case, answer(case, folder))


def answer(case: Case, folder: Path) -> tuple[list[Estimate], np.ndarray | None]:
    """Our estimates in the order of the case's ``expected`` and their covariance."""
    found, covariance = ANSWERS[case["estimator"]["kind"]](_Question(case, folder))
    return found, covariance


class _Question:
    """The data and the design of a case."""

    def __init__(self, case: Case, folder: Path):
        self.case, self.folder = case, folder
        self.estimator, self.options = case["estimator"], case["options"]
        data = case["data"]
        self.files = {"respondents": data} if isinstance(data, str) else data
        if "items" in case:
            self.files = {**self.files, "items": case["items"]}
        self.table = read_table(folder / self.files["respondents"])
        self._read_replicates(case["design"])
        self.expected: list[dict[str, Any]] = case["expected"]
        self.design = self._design()

    def _read_replicates(self, design: dict[str, Any]) -> None:
        """Joins the replicate weights of the case, row by row or by their key, as columns ``replicate_001`` …"""
        if "rows" in design:
            column, wanted = design["rows"].split(" == ")
            self.table = self.table.filter(self.table.numbers(column) == float(wanted))
        if "replicate_weights_file" in design:
            columns = read_table(self.folder / design["replicate_weights_file"])
            rows = np.arange(len(columns))
        elif "replicate_factors_file" in design:
            columns = read_table(self.folder / design["replicate_factors_file"])
            place = {key: row for row, key in enumerate(columns.arrow.column(design["key"]).to_pylist())}
            rows = np.array([place[key] for key in self.table.arrow.column(design["key"]).to_pylist()])
        else:
            return
        names = [name for name in columns.names if re.fullmatch(r"r\d+", name)]
        self.table = self.table.with_columns({f"replicate_{name}": columns.numbers(name)[rows] for name in names})

    def _design(self) -> Design:
        design = self.case["design"]
        if design["type"] == "replicate":
            keys = ("scale", "rscales", "mse", "combined")
            given = {key: design[key] for key in keys if key in design}
            given["rscales"] = tuple(given.get("rscales", ()))
            return Design(
                design["weights"],
                df="design",
                level=self.options["level"],
                replicates=Replicates("given", "replicate_*", **given),
                calibration=self._replicated_calibration(design.get("note", "")),
            )
        weight, nest = design.get("weights"), bool(design.get("nest"))
        if "stages" in design:
            psu = [stage["unit"] for stage in design["stages"]]
            fpc = [stage["fpc"] for stage in design["stages"] if stage.get("fpc")]
        else:
            psu, fpc = design.get("psu"), design.get("fpc") or design.get("probability")
        if "fraction" in design.get("fpc_meaning", ""):
            fpc = self._counted(fpc, psu, design.get("strata"))
        strata = design.get("strata")
        if isinstance(strata, str) and " x " in strata:
            strata, nest = strata.split(" x "), True
        if isinstance(psu, str):
            psu = psu.split(" (")[0]
        return Design(
            **self._unequal(design),
            weight=weight if weight in self.table else "",
            strata=strata,
            psu=psu,
            fpc=fpc,
            nest=nest,
            lonely_psu={"fail": "error"}.get(self.options["lonely_psu"], self.options["lonely_psu"]),
            lonely_domain=bool(self.options.get("adjust_domain_lonely")),
            df="design",
            level=self.options["level"],
            calibration=self._calibration(),
        )

    def _counted(self, fpc: list[str], psu: Any, strata: Any) -> list[str]:
        """Sampling fractions of the first stage as population counts, which our designs take."""
        (column,), n = fpc, len(self.table)
        stratum = domains_of(self.table, _list(strata))[0] if strata else np.zeros(n, dtype=int)
        units = self.table.labels(psu)[0] if psu else np.arange(n)
        drawn = np.array([len(np.unique(units[stratum == h])) for h in range(stratum.max() + 1)])[stratum]
        self.table = self.table.with_columns({"_count": drawn / self.table.numbers(column)})
        return ["_count"]

    def _unequal(self, design: dict[str, Any]) -> dict[str, Any]:
        """R's ``pps``: the names of its approximations, or a square file of joint probabilities."""
        if not design.get("pps"):
            return {}
        named = str(design["pps"]).casefold().removesuffix("()")
        method = {"hr": "hartley_rao", "ppsmat": "joint"}.get(named, named)
        found = {"pps": method, "pps_variance": design.get("variance") or "HT"}
        if "joint_probabilities_file" in design:
            square = read_table(self.folder / design["joint_probabilities_file"])
            matrix = np.column_stack([square.numbers(name) for name in square.names])
            units = [f"#{place}" for place in self.table.places]
            found["joint"] = [
                {"psu": a, "other": b, "probability": float(matrix[i, j])}
                for i, a in enumerate(units)
                for j, b in enumerate(units)
                if i < j
            ]
            found["pps"] = "joint"
        return found

    def _replicated_calibration(self, note: str) -> Calibration | None:
        """The whole sample is post-stratified as its replicates are: any of them has the totals."""
        found = re.search(r"each replicate post-stratified to (\S+) counts", note)
        if not found:
            return None
        codes, labels = self.table.labels(found[1])
        sums = np.bincount(codes, self.table.numbers(next(n for n in self.table.names if n.startswith("replicate_"))))
        return Calibration("poststratify", margins=_margins(found[1], dict(zip(labels, sums.tolist(), strict=True))))

    def _calibration(self) -> Calibration | None:
        """The weighting step of the case, its totals as rows of margins."""
        steps = self.case.get("weighting") or []
        if not steps:
            return None
        (step,) = steps
        if step["step"] == "poststratify":
            variable = "*".join(step["by"])
            if "totals_file" in step:
                rows = read_rows(self.folder / step["totals_file"])
                present = {"|".join(name) for name in domains_of(self.table, step["by"])[1]}
                totals = {"|".join(row[name] for name in step["by"]): row["N"] for row in rows}
                totals = {name: total for name, total in totals.items() if name in present}
            else:
                totals = step["totals"]
            return Calibration("poststratify", margins=_margins(variable, totals))
        if step["step"] == "rake":
            rows = [row for margin in step["margins"] for row in _margins(margin["by"], margin["totals"])]
            swept = not step.get("variance", "").startswith("R calibrate(")
            return Calibration("raking", margins=rows, variance="sweeps" if swept else "regression")
        method = {"li": "linear", "ra": "raking", "lo": "logit"}[step["distance"][:2]]
        method = "bounded" if method == "linear" and "bounds" in step else method
        return Calibration(method, margins=self._model_margins(step), bounds=tuple(step.get("bounds", ())))

    def _model_margins(self, step: dict[str, Any]) -> list[dict[str, Any]]:
        """R's totals of a model matrix (an intercept and all levels but the first) as totals of every level."""
        rows: list[dict[str, Any]] = []
        formula = [variable.strip() for variable in step["formula"].removeprefix("~").split("+")]
        if all(name in step["totals"] for name in formula):
            rows += _margins("1", {"": step["totals"]["(Intercept)"]})
        for name in formula:
            if name in step["totals"]:
                rows += _margins(name, {"": step["totals"][name]})
                continue
            levels = self.table.labels(name)[1]
            known = {level: step["totals"][name + level] for level in levels[1:]}
            rows += _margins(name, {levels[0]: step["totals"]["(Intercept)"] - sum(known.values()), **known})
        return rows

    def listwise(self, names: list[str]) -> Table:
        """With ``na_rm`` R leaves out a row where any variable of the call is missing; its PSU stays."""
        if not self.options.get("na_rm"):
            return self.table
        columns = {name: self.table.numbers(name) for name in names}
        whole = np.isfinite(np.column_stack(list(columns.values()))).all(axis=1)
        return self.table.with_columns({name: np.where(whole, c, np.nan) for name, c in columns.items()})

    def used(self, names: list[str]) -> tuple[Table, Design, list[str]]:
        """The same with the rows that are used as a domain of their own, whose PSUs give the degrees of freedom."""
        if not self.options.get("na_rm"):
            return self.table, self.design, []
        table = self.listwise(names)
        whole = np.isfinite(np.column_stack([table.numbers(name) for name in names])).all(axis=1)
        return table.with_columns({"_used": np.where(whole, "1", "")}), replace(self.design, df="domain"), ["_used"]

    def names(self) -> list[str]:
        variables = self.estimator.get("vars", [])
        return [variables] if isinstance(variables, str) else list(variables)

    def by(self) -> list[str]:
        by = self.estimator.get("by") or []
        return [by] if isinstance(by, str) else list(by)

    def in_order(self, estimates: Estimates) -> tuple[list[Estimate], np.ndarray]:
        """Estimates named ``domain:variable`` or ``domain`` in the order of the case."""
        several = len(set(estimates.names)) > 1
        named = {}
        for k, (domain, name) in enumerate(zip(estimates.domains, estimates.names, strict=True)):
            named[".".join(domain) + (f":{name}" if several else "")] = k
        order = [named[row["name"]] for row in self.expected]
        return [estimates[k] for k in order], estimates.covariance[np.ix_(order, order)]

    def items(self) -> list[dict[str, str]]:
        return read_rows(self.folder / self.files["items"])


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _margins(variable: str, totals: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"variable": variable, "category": name, "total": total} for name, total in totals.items()]


def _plain(estimates: Estimates) -> tuple[list[Estimate], np.ndarray]:
    return list(estimates), estimates.covariance


def _mean(q: _Question) -> tuple[list[Estimate], np.ndarray]:
    found = mean(q.listwise(q.names()), q.names(), q.design)
    return _plain(found)


def _total(q: _Question) -> tuple[list[Estimate], np.ndarray]:
    return _plain(total(q.listwise(q.names()), q.names(), q.design))


def _ratio(q: _Question) -> tuple[list[Estimate], np.ndarray]:
    return _plain(ratio(q.table, q.estimator["numerator"], q.estimator["denominator"], q.design))


def _proportion(q: _Question) -> tuple[list[Estimate], np.ndarray]:
    names = q.names()
    if len(names) == 1:
        found = proportion(q.table, names[0], q.design)
        place = {f"{names[0]}{name}": k for k, name in enumerate(found.names)}
        wanted = [row.get("name", "") for row in q.expected]
        # R sorts answers by its locale, we sort them as Vietnamese does.
        order = [place[name] for name in wanted] if set(wanted) == set(place) else list(range(len(found)))
        return [found[k] for k in order], found.covariance[np.ix_(order, order)]
    # R's svymean of several factors: all their indicators together.
    columns: dict[str, np.ndarray] = {}
    for name in names:
        codes, labels = q.table.labels(name)
        columns |= {f"{name}{x}": np.where(codes < 0, np.nan, codes == k) for k, x in enumerate(labels)}
    q.table = q.table.with_columns(columns)
    return _plain(mean(q.listwise(list(columns)), list(columns), q.design))


def _mean_and_total(q: _Question) -> tuple[list[Estimate], None]:
    totals = q.estimator.get("total", q.names())
    found = [*mean(q.table, q.names(), q.design), *total(q.table, totals, q.design)]
    return found, None


def _mean_total_ratio(q: _Question) -> tuple[list[Estimate], None]:
    numerator, denominator = q.estimator["ratio"]
    found = mean(q.listwise(q.names()), q.names(), q.design)
    totals = total(q.listwise([q.estimator["total"]]), q.estimator["total"], q.design)
    return [*found, *totals, *ratio(q.table, numerator, denominator, q.design)], None


def _domain_mean(q: _Question) -> tuple[list[Estimate], np.ndarray]:
    if "domain" in q.estimator:
        column, wanted = _condition(q.estimator["domain"])
        found = mean(q.listwise(q.names()), q.names(), replace(q.design, df="domain"), column)
        inside = [k for k, domain in enumerate(found.domains) if domain == (wanted,)]
        return [found[k] for k in inside], found.covariance[np.ix_(inside, inside)]
    return q.in_order(mean(q.listwise(q.names()), q.names(), q.design, q.by()))


def _domain_total(q: _Question) -> tuple[list[Estimate], np.ndarray]:
    return q.in_order(total(q.listwise(q.names()), q.names(), q.design, q.by()))


def _domain_ratio(q: _Question) -> tuple[list[Estimate], np.ndarray]:
    return q.in_order(ratio(q.table, q.estimator["numerator"], q.estimator["denominator"], q.design, q.by()))


def _population_variance(q: _Question) -> tuple[list[Estimate], None]:
    return [e for name in q.names() for e in population_variance(q.table, name, q.design)], None


INTERVALS = {"mean": "wald", "xlogit": "logit", "beta": "beta", "asin": "asin_r"}
"""R's names of intervals of a share."""

CONDITION = re.compile(r"\s*\(?\s*([\w.]+)\s*==\s*['\"]?([^'\"]*?)['\"]?\s*\)?\s*")
"""``column == 'answer'``."""


def _condition(written: str) -> tuple[str, str]:
    found = CONDITION.fullmatch(written)
    assert found is not None, f"a condition that the harness cannot read: {written}"
    return found[1], found[2]


def _proportion_interval(q: _Question) -> tuple[list[Estimate], None]:
    column, wanted = _condition(q.estimator["condition"])
    codes, labels = q.table.labels(column)
    there = codes == labels.index(wanted) if wanted in labels else np.zeros(len(codes), bool)
    table = q.table.with_columns({"_there": np.where(codes < 0, np.nan, there)})
    (share,) = mean(table, "_there", q.design)

    def ends_of(method: str) -> tuple[float, float]:
        if method == "logit" and q.design.replicates is not None and 0 < share.value < 1:
            # R fits a logistic model to each replicate; xlogit is the delta method.
            model = logistic(table, "_there", [], q.design, as_r=True).table.iloc[0]
            half = stdtrit(share.df, 0.5 + share.level / 2) * model["se"]
            return float(expit(model["estimate"] - half)), float(expit(model["estimate"] + half))
        if method == "likelihood" and 0 < share.value < 1:
            fitted = logistic(table, "_there", [], q.design, as_r=True).fit
            return proportion_interval(share, "likelihood_r", naive=fitted.naive[0, 0])
        return proportion_interval(share, INTERVALS.get(method, method))

    ends = [ends_of(row["method"]) for row in q.expected]
    return [replace(share, name=row["name"], low=a, high=b) for row, (a, b) in zip(q.expected, ends, strict=True)], None


def _quantile(q: _Question) -> tuple[list[Estimate], None]:
    rule, probabilities = f"{q.estimator['rule']}_r", _list(q.estimator["probs"])
    rule = rule if rule in RULES else q.estimator["rule"]
    written = q.estimator.get("interval", "mean")
    interval = next((ours for theirs, ours in INTERVALS.items() if theirs in written), "wald")
    table, design, used = q.used(q.names())
    found = [quantile(table, v, probabilities, design, used, rule=rule, interval=interval) for v in q.names()]
    return [estimate for of_one in found for estimate in of_one], None


def _domain_df(q: _Question) -> tuple[list[Estimate], None]:
    rows = q.table.with_columns({"row": np.ones(len(q.table))})
    found = mean(rows, "row", replace(q.design, df="domain"), q.by())
    place = {".".join(domain): k for k, domain in enumerate(found.domains)}
    return [found[place[str(row["domain"])]] for row in q.expected], None


def _contrast(q: _Question) -> tuple[list[Estimate], np.ndarray]:
    found = mean(q.listwise([q.estimator["var"]]), q.estimator["var"], q.design, q.by())
    sign = {q.estimator["minuend"]: 1, q.estimator["subtrahend"]: -1}
    return _plain(found.contrast([[sign.get(".".join(domain), 0) for domain in found.domains]], ["difference"]))


def _composite_linear(q: _Question) -> tuple[list[Estimate], np.ndarray]:
    rows = [{"code": "index", "combine": "share"}]
    for part in q.estimator["components"]:
        low, high = part["lo"], part["hi"]
        ends = "1..10" if part["direction"] > 0 else "10..1"
        row = {"code": part["var"], "parent": "index", "share": part["weight"], "from": f"{low}..{high}", "to": ends}
        rows.append({**row, "question": part["var"], "score": "linear"})
    scores = score(q.table, index_of(rows, "composite"), q.design)
    return _plain(scores.estimates(["index"]))


def _composite_nonlinear(q: _Question) -> tuple[list[Estimate], np.ndarray]:
    definition = q.estimator["definition"].partition(";")[0]
    variables = list(dict.fromkeys(re.findall(r"mean[ (]\(?([A-Za-z_][\w.]*)\)?", definition)))
    found = mean(q.listwise(variables), variables, q.design)
    written = re.sub(r"mean\(([\w.]+)\)|mean ([\w.]+)", lambda m: f"v[{variables.index(m[1] or m[2])}]", definition)

    def function(v: np.ndarray) -> Any:
        return eval(written, {"__builtins__": {}}, {"v": v, "exp": np.exp, "log": np.log})

    return _plain(found.function([function], ["index"]))


# -- composites declared as an index sheet ------------------------------------------------------------------------


def _index(q: _Question) -> Index:
    """The items file as an index sheet: overall → dimensions → sub-dimensions, where there are any → items."""
    items, definition = q.items(), q.estimator["definition"]
    hundred = definition["rescale"].startswith("100")
    geometric = "geometric" in q.estimator["kind"]
    weighted = "dim_weight" in items[0]
    combine = "geometric" if geometric else "share" if weighted else "mean"
    rows: dict[str, dict[str, Any]] = {"overall": {"code": "overall", "combine": combine}}
    for item in items:
        dimension = f"dim{item['dim']}"
        rows[dimension] = {"code": dimension, "parent": "overall", "share": item.get("dim_weight", "")}
        parent = dimension
        if "subdim" in item:
            parent = f"sub{item['subdim']}"
            rows[parent] = {"code": parent, "parent": dimension}
        low, high = ("0", "100") if hundred else ("1", "10")
        to = f"{low}..{high}" if float(item["direction"]) > 0 else f"{high}..{low}"
        row = {"code": item["item"], "parent": parent, "question": item["item"], "score": "linear"}
        rows[item["item"]] = {**row, "from": f"{item['lo']}..{item['hi']}", "to": to}
    return index_of(list(rows.values()), "oracle")


def _scores(q: _Question, by: list[str]) -> Scores:
    return score(q.table, _index(q), q.design, by)


def _named(scores: Scores, q: _Question, split: Callable[[str], tuple[str, str]]) -> tuple[list[Estimate], np.ndarray]:
    """Scores by the case's own names: ``split`` gives (domain, code) of a name."""
    wanted = [split(row["name"]) for row in q.expected]
    codes, domains = (list(dict.fromkeys(pair[k] for pair in wanted)) for k in (1, 0))
    found = scores.estimates(codes, domains)
    order = [domains.index(domain) * len(codes) + codes.index(code) for domain, code in wanted]
    return [found[k] for k in order], found.covariance[np.ix_(order, order)]


def _year_province(name: str) -> tuple[str, str]:
    year, province, *code = name.split(".", 2)
    return f"{year[1:]}|{province[1:]}", code[0] if code else "overall"


def _by_province_and_year(q: _Question) -> tuple[list[Estimate], np.ndarray]:
    return _named(_scores(q, ["year", "province"]), q, _year_province)


def _by_province(q: _Question) -> tuple[list[Estimate], np.ndarray]:
    return _named(_scores(q, ["province"]), q, lambda name: (name[1:], "overall"))


def _national(q: _Question) -> tuple[list[Estimate], np.ndarray]:
    return _named(_scores(q, ["year"]), q, lambda name: (name[1:], "overall"))


def _differences(scores: Scores, pairs: list[tuple[str, str]]) -> tuple[list[Estimate], np.ndarray]:
    domains = list(dict.fromkeys(domain for pair in pairs for domain in pair))
    found = scores.estimates(["overall"], domains)
    rows = [[(d == a) - (d == b) for d in domains] for a, b in pairs]
    return _plain(found.contrast(rows, [f"{a} - {b}" for a, b in pairs]))


def _province_differences(q: _Question) -> tuple[list[Estimate], np.ndarray]:
    pairs = [tuple(_year_province(name)[0] for name in row["name"].split(" - ")) for row in q.expected]
    return _differences(_scores(q, ["year", "province"]), pairs)  # type: ignore[arg-type]


def _year_differences(q: _Question) -> tuple[list[Estimate], np.ndarray]:
    years = sorted(set(q.table.labels("year")[1]))
    pairs = [(f"{years[-1]}|{row['name'][1:]}", f"{years[0]}|{row['name'][1:]}") for row in q.expected]
    return _differences(_scores(q, ["year", "province"]), pairs)


def _of_domain(q: _Question) -> tuple[list[Estimate], np.ndarray]:
    codes = {f".{node.code}": node.code for node in _index(q).nodes}

    def split(name: str) -> tuple[str, str]:
        for ending, code in codes.items():
            if name.endswith(ending):
                return name.removesuffix(ending), code
        return name, "overall"

    return _named(_scores(q, q.by()), q, split)


def _items_rescaled(q: _Question) -> tuple[list[Estimate], np.ndarray]:
    """Items on the index's scale: a leaf is reported in its own unit, so each is rescaled as its parents use it."""
    found, _ = _of_domain(q)
    scores, index = _scores(q, q.by()), _index(q)
    codes = [node.code for node in index.leaves]
    domains = list(dict.fromkeys(estimate.domain[0] for estimate in found))
    estimates = scores.estimates(codes, domains)
    slopes = np.array([index.by_code[name].rescale() for name in estimates.names])
    moved = estimates.contrast(np.diag(slopes[:, 0]), estimates.names)
    shifted = replace(moved, values=moved.values + slopes[:, 1])
    return _plain(shifted)


def _overall_differences(q: _Question) -> tuple[list[Estimate], np.ndarray]:
    scores = _scores(q, q.by())
    domains = sorted(set(scores.table["domain"]))
    named = {f"{a} - {b}": (a, b) for a, b in combinations(domains, 2)}
    named |= {f"{b} - {a}": (b, a) for a, b in combinations(domains, 2)}
    return _differences(scores, [named[row["name"]] for row in q.expected])


ANSWERS: dict[str, Callable[[_Question], tuple[list[Estimate], np.ndarray | None]]] = {
    "mean": _mean,
    "total": _total,
    "ratio": _ratio,
    "proportion": _proportion,
    "mean_and_total": _mean_and_total,
    "mean and total": _mean_and_total,
    "domain_mean": _domain_mean,
    "domain_total": _domain_total,
    "domain_ratio": _domain_ratio,
    "population_variance": _population_variance,
    "proportion_ci": _proportion_interval,
    "quantile": _quantile,
    "mean, total, ratio": _mean_total_ratio,
    "domain_degrees_of_freedom": _domain_df,
    "contrast_of_domain_means": _contrast,
    "composite_linear": _composite_linear,
    "composite_nonlinear": _composite_nonlinear,
    "composite_overall_by_province_and_year": _by_province_and_year,
    "composite_dimensions_by_province_and_year": _by_province_and_year,
    "composite_overall_geometric_mean_of_dimensions": _by_province_and_year,
    "composite_subdimensions_latest_year": _by_province_and_year,
    "item_means_latest_year": _by_province_and_year,
    "difference_between_provinces_latest_year": _province_differences,
    "change_last_year_minus_first_year": _year_differences,
    "composite_overall_by_province": _by_province,
    "composite_overall_national": _national,
    "composite_overall": _of_domain,
    "composite_dimensions": _of_domain,
    "composite_items": _items_rescaled,
    "composite_overall_differences": _overall_differences,
}


# -- comparison ---------------------------------------------------------------------------------------------------


def compare(case: Case, found: tuple[list[Estimate], np.ndarray | None]) -> None:
    """Every figure of the case against ours, at the case's own tolerance."""
    estimates, covariance = found
    tolerance = float(case["tolerance"]["relative"])
    assert len(estimates) == len(case["expected"])
    with_replacement = case["estimator"].get("deff", "").startswith("with replacement")
    for row, ours in zip(case["expected"], estimates, strict=True):
        name = row.get("name", row.get("domain"))
        if "estimate" in row and row["estimate"] is None:
            assert np.isnan(ours.value), f"{name}: {ours.value!r}, where R has none"
            continue
        size = abs(row.get("estimate", 0.0))
        figures = {
            "estimate": ours.value,
            "se": ours.se,
            "df": ours.df,
            "n": ours.n,
            "deff": ours.deff_replacement if with_replacement else ours.deff,
        }
        for key in figures.keys() & row.keys():
            if row[key] is None:
                if key == "se" and ours.value in (0.0, 1.0):
                    continue  # R has 0 or none for a share at the end of the scale, by the way it was calibrated
                assert np.isnan(figures[key]), f"{name} {key}: {figures[key]!r}, where R has none"
                continue
            if key == "se" and ours.df <= 0 and np.isnan(ours.se) and abs(row[key]) < 1e-9 * size:
                continue  # a domain in one PSU: decision 133
            # A figure that is zero in theory (an error of a stratified share) is compared on the estimate's scale.
            slack = tolerance * max(abs(row[key]), size if abs(row[key]) < 1e-11 * size else 0.0)
            assert abs(figures[key] - row[key]) <= slack, f"{name} {key}: {figures[key]!r}, expected {row[key]!r}"
        if row.get("ci") == [None, None] and ours.value in (0.0, 1.0):
            continue  # R has none where nobody or everybody answers so; ours is that of the NCHS (proportions.py)
        if "ci" in row:
            # R finds the likelihood interval by interpolation; its notes ask for 1e-4 there.
            near = 1e-4 if row.get("method") == "likelihood" else tolerance
            ends = np.array(row["ci"], dtype=float)
            assert np.allclose([ours.low, ours.high], ends, rtol=near, equal_nan=True), (
                f"{name}: {ours.low}, {ours.high}"
            )
        if "ci_t" in row:
            ends = np.array([ours.low, ours.high])
            assert np.allclose(ends, row["ci_t"], rtol=tolerance, atol=tolerance * ours.se), f"{name}: {ends}"
    expected = case.get("expected_covariance")
    if expected is not None and covariance is not None:
        matrix = np.array(expected, dtype=float).reshape(len(estimates), -1)
        size = np.array([abs(row["estimate"] or 0.0) for row in case["expected"]])
        error = np.sqrt(np.diag(matrix))
        zero = error < 1e-11 * size  # in theory: what is left is rounding, of either side
        least = np.where(zero, 1e-11 * size, error)
        floor = np.where(np.logical_or.outer(zero, zero), np.outer(least, least), 1e-20 * np.outer(size, size))
        known = np.isfinite(matrix)
        assert (np.abs(covariance - matrix) <= tolerance * np.outer(error, error) + floor)[known].all()

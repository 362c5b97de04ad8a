"""The method box: what was really done to get the figures, in words, from the objects that did it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from platform import python_version
from typing import Any

from analysis.dataset import WEIGHT as BASE_WEIGHT
from analysis.design import Calibration, Design
from analysis.index import Index
from analysis.report.format import count, counts, level, percent
from analysis.report.meta import Fact
from survey.fieldwork.dispositions import rates
from survey.fieldwork.household import METHODS
from survey.fieldwork.replacement import Rule
from survey.questionnaire.index_sheet import IndexNode
from survey.questionnaire.model import MISSING
from survey.text import Text, many
from survey.vocabulary import EMPLOYERS

_LONELY = {
    "error": Text("không có (nếu có thì không tính điểm được)", "none (one would have stopped the scoring)"),
    "adjust": Text("lấy độ lệch so với trung bình của toàn mẫu", "centred at the mean of the whole sample"),
    "average": Text("lấy trung bình phương sai của các tầng khác", "given the average variance of the other strata"),
    "certainty": Text("coi như chắc chắn được chọn, không góp phương sai", "taken as certain, adding no variance"),
    "remove": Text("bỏ khỏi phương sai", "left out of the variance"),
}
_DF = {
    "domain": Text(
        "số đơn vị mẫu cấp 1 trừ số tầng có người thuộc nhóm được tính",
        "PSUs less strata that have members of the domain",
    ),
    "design": Text("số đơn vị mẫu cấp 1 trừ số tầng của cả mẫu", "PSUs less strata of the whole sample"),
}
_CALIBRATION = {
    "poststratify": Text("hậu phân tầng", "post-stratification"),
    "raking": Text("cân chỉnh lặp theo từng biên (raking)", "raking"),
    "linear": Text("cân chỉnh tuyến tính", "linear calibration"),
    "logit": Text("cân chỉnh logit", "logit calibration"),
    "bounded": Text("cân chỉnh có chặn", "bounded calibration"),
}
COMBINED = {
    "mean": Text("trung bình cộng", "mean"),
    "sum": Text("tổng", "sum"),
    "share": Text("tổng theo tỷ trọng", "sum by shares"),
    "pooled": Text("gộp mọi câu trả lời", "pooled answers"),
    "geometric": Text("trung bình nhân", "geometric mean"),
}
_SOFTWARE = ("citizen-survey", "numpy", "scipy", "pandas", "matplotlib")


def sample_facts(n: int, psus: int | None = None, strata: int | None = None) -> list[Fact]:
    """How many people answered, in how many PSUs and strata."""
    vi = ((n, "người trả lời"), (psus, "đơn vị mẫu cấp 1"), (strata, "tầng"))
    en = ((n, "respondent", ""), (psus, "PSU", ""), (strata, "stratum", "strata"))
    told = Text(
        ", ".join(f"{count(k, 'vi')} {word}" for k, word in vi if k is not None),
        ", ".join(counts(k, one, more) for k, one, more in en if k is not None),
    )
    return [Fact(Text("Cỡ mẫu", "Sample"), told)]


def design_facts(design: Design | None) -> list[Fact]:
    """Strata, PSUs, weights, interval and the rules for special cases, as the design declares them."""
    if design is None:
        return [
            Fact(
                Text("Thiết kế mẫu", "Sample design"),
                Text("không kèm theo tệp điểm", "not given with the scores"),
            )
        ]
    facts = [Fact(Text("Thiết kế mẫu", "Sample design"), _stages(design))]
    facts.append(Fact(Text("Quyền số", "Weights"), _weights(design)))
    if design.calibration:
        facts.append(Fact(Text("Cân chỉnh", "Calibration"), _calibration(design.calibration)))
    if design.psu or design.strata:
        facts.append(Fact(Text("Tầng chỉ có một đơn vị", "Strata with one PSU"), _lonely(design)))
    if design.publication:
        least = design.publication
        small = Text(
            f"không công bố (–) khi dưới {least.least_n} phiếu hoặc dưới {least.least_psu} đơn vị chọn mẫu, kể cả ô kề "
            "nếu từ đó suy ngược ra được",
            f"not published (–) below {least.least_n} interviews or {least.least_psu} sampled units, nor the next "
            "smallest where one could be worked out",
        )
        facts.append(Fact(Text("Ô ít phiếu", "Small cells"), small))
    rule = _DF[design.df]
    facts.append(
        Fact(
            Text("Khoảng tin cậy", "Confidence interval"),
            Text(
                f"mức {level(design.level, 'vi')}, phân phối t; bậc tự do: {rule.vi}; phương sai tuyến tính hóa "
                "giữa các đơn vị mẫu cấp 1, nhóm nhỏ giữ nguyên toàn bộ thiết kế",
                f"level {level(design.level, 'en')}, Student's t; degrees of freedom: {rule.en}; linearised "
                "variance between PSUs, domains keep the whole design",
            ),
        )
    )
    return facts


def index_facts(index: Index, note: Text = Text("", "")) -> list[Fact]:
    """How answers become the index: leaves that count, how nodes combine, what is in the base."""
    top = next(node for node in index.nodes if not node.parents)
    counted = index.leaves_of(top.code)
    ways = list(dict.fromkeys(node.combine for node in index.nodes if index.children[node.code]))
    words = [COMBINED[way] for way in ways]
    built = Text(
        f"{index.id}: {len(counted)} tiêu chí được tính; cách gộp lên cấp trên: {', '.join(w.vi for w in words)}",
        f"{index.id}: {many(len(counted), 'item counts', 'items count')}; combined upwards by "
        f"{', '.join(w.en for w in words)}",
    )
    if note.vi:
        built = Text(f"{built.vi}. {note.vi}", f"{built.en}. {note.en}")
    return [Fact(Text("Chỉ số", "Index"), built), Fact(Text("Mẫu số", "Base"), _base(counted))]


def draw_facts(round: Mapping[str, Any]) -> list[Fact]:
    """How the sample was drawn, as the round says it; nothing where it was not drawn here."""
    draw = round.get("draw")
    if not draw:
        return []
    stages = "; ".join(str(stage) for stage in draw["stages"])
    strata = ", ".join(str(column) for column in draw["strata"])
    return [
        Fact(
            Text("Chọn mẫu", "Draw"),
            Text(
                f"{f'phân tầng theo {strata}; ' if strata else ''}các bậc: {stages}; số gieo {draw['seed']}",
                f"{f'strata by {strata}; ' if strata else ''}stages: {stages}; seed {draw['seed']}",
            ),
        )
    ]


def independence_facts(conducted: int, told: int, kinds: Mapping[str, int], reasons: Mapping[str, int]) -> list[Fact]:
    """How many interviews were made by people whose employer is rated at the unit, by kind of employer, and the reasons
    that were written down; of how many interviews the interviewer's employer is known. Nothing without interviews."""
    if not conducted:
        return []
    name = Text("Tính độc lập của người phỏng vấn", "Independence of interviewers")
    if not told:
        return [Fact(name, Text("chưa ghi cơ quan công tác của điều tra viên", "nobody's employer is recorded"))]
    known = Text(
        f"biết cơ quan công tác của người làm {count(told, 'vi')} trong {count(conducted, 'vi')} phiếu",
        f"the interviewer's employer is known for {count(told, 'en')} of {counts(conducted, 'interview')}",
    )
    total = sum(kinds.values())
    if not total:
        none = Text(
            "không phiếu nào do người của cơ quan được đánh giá thực hiện",
            "none was made by somebody who works for the authority that was rated",
        )
        return [Fact(name, Text(f"{known.vi}; {none.vi}", f"{known.en}; {none.en}"))]

    def said(language: str) -> str:
        by_kind = ", ".join(
            f"{EMPLOYERS[kind].name(language)} {count(n, language)}" for kind, n in sorted(kinds.items())
        )
        unsaid = Text("chưa ghi lý do", "no reason written")(language)
        why = "; ".join(
            (f"“{reason}”" if reason else unsaid) + f" ({count(n, language)})"
            for reason, n in sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
        )
        made = Text(
            f"{count(total, 'vi')} phiếu do người của cơ quan được đánh giá thực hiện",
            f"{count(total, 'en')} made by people who work for the authority that was rated",
        )(language)
        return f"{known(language)}; {made}: {by_kind}. {Text('Lý do', 'Reasons')(language)}: {why}"

    return [Fact(name, Text(said("vi"), said("en")))]


_REPLACED = Text("Thay đơn vị mẫu", "Replacement")


def choice_facts(round: Mapping[str, Any], chosen: int) -> list[Fact]:
    """How the respondents were chosen within their households; nothing where units are people."""
    told = round.get("respondent") or {}
    method = METHODS.get(told.get("method", ""))
    if method is None:
        return []
    age = told.get("age", 18)
    return [
        Fact(
            Text("Chọn người trong hộ", "Choice within the household"),
            Text(
                f"{method.vi}, từ {age} tuổi; {count(chosen, 'vi')} hộ có danh sách; quyền số nhân với số người được "
                "đại diện",
                f"{method.en}, aged {age} or more; {counts(chosen, 'household')} listed; weights times the people "
                "stood for",
            ),
        )
    ]


def replacement_facts(round: Mapping[str, Any], replaced: int) -> list[Fact]:
    """How many units were replaced, by which rule; nothing where none was and the round names no rule."""
    if not replaced and "replacement" not in round:
        return []
    rule = Rule.of(round)
    if not rule.allowed:
        return [Fact(_REPLACED, Text("không cho thay", "not allowed"))]
    return [
        Fact(
            _REPLACED,
            Text(
                f"{count(replaced, 'vi')} đơn vị dự phòng được mở thay; sau {rule.visits} lần đến khi còn có thể gặp",
                f"{counts(replaced, 'reserve unit')} opened; after {many(rule.visits, 'visit')} where "
                "another might succeed",
            ),
        )
    ]


def response_facts(codes: Sequence[str]) -> list[Fact]:
    """How the sample turned out, in AAPOR's rates, from the final code of every unit that was to be interviewed;
    nothing where nobody was visited."""
    if all(code == "3.11" for code in codes):
        return []
    found = rates(codes)
    done, refused, unmet = found.counts["I"], found.counts["R"], found.counts["NC"]

    def said(language: str, template: str) -> str:
        numbers = (count(n, language) for n in (len(codes), done, refused, unmet, found.open))
        shares = (percent(found.rates[name], 1, language) for name in ("RR1", "RR2", "COOP1", "CON1", "REF1"))
        return template.format(*numbers, *shares)

    return [
        Fact(
            Text("Tỷ lệ trả lời (AAPOR)", "Response rates (AAPOR)"),
            Text(
                said(
                    "vi",
                    "{} trường hợp: {} hoàn thành, {} từ chối, {} không gặp, {} còn chờ; "
                    "RR1 {}, RR2 {}, COOP1 {}, CON1 {}, REF1 {}",
                ),
                said(
                    "en",
                    "{} cases: {} complete, {} refused, {} not met, {} open; "
                    "RR1 {}, RR2 {}, COOP1 {}, CON1 {}, REF1 {}",
                ),
            ),
        )
    ]


def volunteers_fact() -> Fact:
    """That the figures are of people whom nobody drew, so that no interval speaks of the population."""
    return Fact(
        Text("Mẫu tự nguyện", "Volunteers"),
        Text(
            "người trả lời tự chọn tham gia, không phải mẫu được chọn ngẫu nhiên: kết quả và khoảng tin cậy không suy "
            "rộng cho người dân; không gộp với mẫu được chọn",
            "people who chose to answer, not a random sample: neither figures nor intervals speak of the population; "
            "never pooled with the drawn sample",
        ),
    )


def apart_fact(volunteers: int) -> list[Fact]:
    """How many volunteers are kept apart from these figures; nothing where there are none."""
    if not volunteers:
        return []
    return [
        Fact(
            Text("Phiếu tự nguyện", "Volunteers"),
            Text(
                f"{count(volunteers, 'vi')} phiếu của người không được chọn vào mẫu, không tính vào các số liệu này",
                f"{counts(volunteers, 'form')} of people who were not drawn, in none of these figures",
            ),
        )
    ]


def answers_fact(name: Text, codes: Sequence[str], words: Mapping[str, Text]) -> list[Fact]:
    """How often each code was recorded, in words, the most frequent first; nothing where there are no codes."""
    counted = Counter(code for code in codes if code)
    if not counted:
        return []

    def said(language: str) -> str:
        pairs = counted.most_common()
        return ", ".join(f"{words.get(code, Text(code, code))(language)} {count(n, language)}" for code, n in pairs)

    return [Fact(name, Text(said("vi"), said("en")))]


def state_fact(states: Collection[str]) -> list[Fact]:
    """Which interviews were scored."""
    if set(states) == {"approved"}:
        words = Text("chỉ phiếu đã duyệt", "approved ones only")
    else:
        words = Text("cả phiếu đã khóa nhưng chưa duyệt (tạm tính)", "sealed ones not yet approved too (provisional)")
    return [Fact(Text("Phiếu được tính", "Interviews scored"), words)]


def software_facts() -> list[Fact]:
    """The programs that made the figures, with their versions."""
    found = [f"Python {python_version()}"]
    for name in _SOFTWARE:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    listed = ", ".join(found)
    return [Fact(Text("Phần mềm", "Software"), Text(listed, listed))]


def _stages(design: Design) -> Text:
    strata = " × ".join(design.strata)
    psu, later = design.psu[:1], design.psu[1:]
    vi = [f"phân tầng theo {strata}" if strata else "không phân tầng"]
    en = [f"stratified by {strata}" if strata else "not stratified"]
    if psu:
        vi.append(f"đơn vị mẫu cấp 1: {psu[0]}")
        en.append(f"primary sampling unit: {psu[0]}")
    else:
        vi.append("mỗi người là một đơn vị mẫu")
        en.append("each person is a sampling unit")
    if later:
        vi.append(f"các cấp sau: {', '.join(later)}")
        en.append(f"further stages: {', '.join(later)}")
    if design.certainty:
        vi.append(f"đơn vị chắc chắn được chọn: {design.certainty}")
        en.append(f"certainty units: {design.certainty}")
    if design.fpc:
        vi.append(f"hiệu chỉnh tổng thể hữu hạn theo {', '.join(design.fpc)}")
        en.append(f"finite population correction by {', '.join(design.fpc)}")
    else:
        vi.append("coi như chọn có hoàn lại")
        en.append("taken as drawn with replacement")
    return Text("; ".join(vi), "; ".join(en))


def _weights(design: Design) -> Text:
    if design.weight == BASE_WEIGHT:
        return Text(
            f"nghịch đảo xác suất chọn của đơn vị mẫu (cột {design.weight})",
            f"inverse of the sample unit's selection probability (column {design.weight})",
        )
    if design.weight:
        return Text(f"cột {design.weight}", f"column {design.weight}")
    if design.fpc:
        return Text("suy từ xác suất chọn của từng cấp", "from the selection probability of each stage")
    return Text("không dùng quyền số: mỗi phiếu tính như nhau", "none: every interview counts the same")


def _calibration(calibration: Calibration) -> Text:
    words = _CALIBRATION[calibration.method]
    known_margins = f" ({calibration.margins})" if calibration.margins else ""
    before = calibration.already_applied
    return Text(
        words.vi + known_margins + ("; quyền số đã được cân chỉnh từ trước" if before else ""),
        words.en + known_margins + ("; already in the weights" if before else ""),
    )


def _lonely(design: Design) -> Text:
    if design.lonely_psu == "collapse":
        return Text(
            f"gộp vào tầng khai báo ở cột {design.collapse}",
            f"joined to the stratum declared in column {design.collapse}",
        )
    return _LONELY[design.lonely_psu]


def _base(leaves: Sequence[IndexNode]) -> Text:
    """Who is in the denominators: what the index sheet does with don't know, refused and questions of some only."""
    vi = ["người đã trả lời câu hỏi", "không thuộc diện hỏi, bỏ trống, đánh nhiều ô không tính"]
    en = ["people who answered the item", "not applicable, blank and multiple marks are left out"]
    for column in ("dont_know", "refused"):
        word = Text(*(said.lower() for said in MISSING[column]))
        zero = sum(getattr(leaf, column) == "zero" for leaf in leaves)
        if zero == 0:
            vi.append(f"{word.vi}: không tính")
            en.append(f"{word.en}: left out")
        elif zero == len(leaves):
            vi.append(f"{word.vi}: tính vào mẫu số, không tính là đạt")
            en.append(f"{word.en}: in the base, counted as not")
        else:
            vi.append(f"{word.vi}: tính vào mẫu số ở {zero} trong {len(leaves)} tiêu chí")
            en.append(f"{word.en}: in the base of {zero} of {len(leaves)} items")
    limited = sum(bool(leaf.base) for leaf in leaves)
    if limited:
        vi.append(f"{limited} tiêu chí chỉ hỏi người thuộc diện hỏi")
        en.append(f"{many(limited, 'item is', 'items are')} asked of some people only")
    return Text("; ".join(vi), "; ".join(en))

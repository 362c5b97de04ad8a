"""The papers of an improvement plan: the draft and the quarterly report in the layout of an office's documents, and the
two pages (cẩm nang) that a commune works with."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from analysis.plan import Outcome, Outlook
from analysis.plan_sheet import STANDS, STATUS, Collected, Item
from analysis.plan_words import outlook_sentence, result_sentence, said
from analysis.ranking import GROUP_WORDS
from analysis.report.docx import OfficeDocument
from analysis.report.format import day, number
from analysis.report.meta import INTERNAL
from analysis.report.office import Office
from analysis.standing import ADVICE, Part
from survey.text import Text, fold, many


@dataclass(frozen=True)
class Plan:
    """What a plan is about: ``unit`` (An Giang), ``index`` in words, ``round`` measured next and ``known``, the round
    whose scores stand below; ``official`` says whether these are published values."""

    unit: str
    index: Text
    round: str
    known: str
    items: tuple[Item, ...]
    parts: tuple[tuple[str, Part], ...] = ()
    targets: tuple[Outlook, ...] = ()
    results: tuple[Outcome, ...] = ()
    basis: tuple[str, ...] = field(default=())
    """Documents that it follows from, one a line (Căn cứ …)."""
    own: bool = False
    """Whether its scores are the office's own: each page then says that they are no official publication."""


def plan_document(plan: Plan, office: Office, language: str = "vi") -> bytes:
    """The draft plan, in the usual five parts; whatever only people know is left as dots."""
    notice = INTERNAL(language) if plan.own else ""
    kind = _t(language, "Kế hoạch", "Plan")
    made = OfficeDocument(office, kind, _subject(plan, language), language=language, notice=notice)
    t = made.t
    index = plan.index(language)
    for line in plan.basis:
        made.paragraph(t(f"Căn cứ {line};", f"Pursuant to {line};"), italic=True)
    made.paragraph(
        t(
            f"Căn cứ kết quả {index} {plan.known} của {plan.unit}, kế hoạch nâng cao chỉ số năm {plan.round} như sau:",
            f"From the results of {index} {plan.known} of {plan.unit}, the plan for {plan.round} is as follows:",
        )
    )
    made.heading(t("I. MỤC ĐÍCH, YÊU CẦU", "I. PURPOSE"))
    made.heading(t("1. Mục đích", "1. Purpose"), 2)
    made.paragraph(
        t(
            "Phát huy những mặt đã đạt, khắc phục tồn tại, hạn chế ở từng chỉ số; gắn mỗi nhiệm vụ với cơ quan chịu "
            "trách nhiệm, thời hạn và minh chứng kiểm tra được.",
            "To build on what was reached and to mend what was not, indicator by indicator; each task has an agency "
            "that answers for it, a day and evidence that can be checked.",
        )
    )
    made.heading(t("2. Yêu cầu", "2. Requirements"), 2)
    made.paragraph(
        t(
            "Chỉ nêu mục tiêu mà cỡ mẫu của cuộc khảo sát kết luận được; báo cáo hằng quý theo mẫu trích gửi từng "
            "cơ quan.",
            "Targets are such that the sample of the survey can tell; agencies report each quarter on their extract.",
        )
    )
    made.heading(t("II. MỤC TIÊU", "II. TARGETS"))
    _targets(made, plan)
    made.heading(t("III. ĐÁNH GIÁ HIỆN TRẠNG", "III. AS IT STANDS"))
    _parts(made, plan)
    numbered = (
        (1, "strength", t("Ưu điểm cần phát huy", "Strengths to build on")),
        (2, "weakness", t("Tồn tại, hạn chế; nguyên nhân; trách nhiệm", "Weaknesses, causes, who answers")),
    )
    for place, kind, title in numbered:
        made.heading(f"{place}. {title}", 2)
        chosen = [item for item in plan.items if item.finding == kind]
        for item in chosen:
            made.item(_found(item, language))
        if not chosen:
            made.paragraph(t("Không có.", "None."))
    made.heading(t("IV. NHIỆM VỤ, GIẢI PHÁP", "IV. TASKS"))
    made.paragraph(
        t(
            "Các nhiệm vụ được giao theo từng chỉ số tại biểu dưới đây; số nhiệm vụ của từng cơ quan ở biểu tiếp theo.",
            "Tasks are given indicator by indicator in the table below; their number by agency in the one after.",
        )
    )
    _tasks(made, plan.items)
    made.heading(t("V. TỔ CHỨC THỰC HIỆN", "V. CARRYING IT OUT"))
    for line in (
        t(
            "Các cơ quan chủ trì xây dựng giải pháp cụ thể, chịu trách nhiệm về tiến độ và minh chứng của nhiệm vụ "
            "được giao.",
            "Leading agencies work out their tasks and answer for progress and evidence.",
        ),
        t(
            "Ủy ban nhân dân cấp xã phổ biến kết quả tới cán bộ và người dân, thực hiện các nhiệm vụ trong cẩm nang "
            "kèm theo.",
            "People's Committees of communes make the results known and carry out what their handbook lists.",
        ),
        t(
            "Định kỳ trước ngày 15 tháng cuối quý, các cơ quan báo cáo trên tệp trích đã gửi; cơ quan đầu mối tổng "
            "hợp, báo cáo Ủy ban nhân dân.",
            "By the 15th of each quarter's last month agencies report on their extract; the focal office sums up.",
        ),
    ):
        made.item(line)
    made.sign()
    return made.finish()


def quarter_document(plan: Plan, collected: Collected, quarter: str, office: Office, language: str = "vi") -> bytes:
    """The quarterly report: how many items stand how, item by item what the leads reported, conflicts with both sides,
    and what nobody reported. The totals of its tables equal the numbers of its text."""
    title = _t(
        language,
        f"Tình hình thực hiện kế hoạch nâng cao {plan.index.vi} {quarter}, {plan.unit}",
        f"Progress of the plan on {plan.index.en}, {quarter}, {plan.unit}",
    )
    made = OfficeDocument(office, _t(language, "Báo cáo", "Report"), title, language=language)
    t, counts, total = made.t, collected.counts(), len(collected.items)
    silent = len(collected.silent)
    made.paragraph(
        t(
            f"Kế hoạch có {total} nhiệm vụ: {counts['done']} đã hoàn thành, {counts['doing']} đang thực hiện, "
            f"{counts['planned']} chưa thực hiện, {counts['stopped']} dừng, {counts['conflict']} có báo cáo khác nhau. "
            f"{silent} nhiệm vụ chưa có báo cáo của cơ quan chủ trì.",
            f"The plan has {many(total, 'item')}: {counts['done']} done, {counts['doing']} under way, "
            f"{counts['planned']} not begun, {counts['stopped']} stopped, {counts['conflict']} with reports that "
            f"differ. The lead of {silent} "
            "has not reported.",
        )
    )
    rows = [[STANDS[status](language), str(count)] for status, count in counts.items()]
    rows.append([t("Tổng số", "Total"), str(total)])
    made.table(t("Nhiệm vụ theo tình trạng", "Items by status"), [t("Tình trạng", "Status"), t("Số nhiệm vụ", "Items")],
               rows, bold=[len(rows) - 1], widths=[3, 1])  # fmt: skip
    made.heading(t("I. KẾT QUẢ TỪNG NHIỆM VỤ", "I. ITEM BY ITEM"))
    head = [t("Mã", "Item"), t("Nhiệm vụ", "Task"), t("Chủ trì", "Leads"), t("Tình trạng", "Status"),
            t("Kết quả, minh chứng", "What was done, evidence")]  # fmt: skip
    made.table(
        t("Kết quả từng nhiệm vụ", "Item by item"),
        head,
        [
            [item.id, item.task or item.name, item.lead or "……",
             STANDS["conflict" if item.id in collected.conflicts else item.status](language),
             "; ".join(filter(None, (item.progress, item.evidence)))]
            for item in collected.items
        ],
        align="cllll",
        widths=[1, 4, 2.4, 1.8, 4],
    )  # fmt: skip
    numerals = iter(("II", "III"))
    if collected.conflicts:
        made.heading(f"{next(numerals)}. " + t("BÁO CÁO KHÁC NHAU, CẦN LÀM RÕ", "REPORTS THAT DIFFER"))
        for answers in collected.conflicts.values():
            for answer in answers:
                made.item(
                    f"{answer.item}, {answer.agency}, {answer.by or t('không ghi người điền', 'nobody named')}: "
                    f"{STATUS[answer.status](language)}; {answer.progress}"
                )
    if collected.silent:
        made.heading(f"{next(numerals)}. " + t("CHƯA CÓ BÁO CÁO", "NOT REPORTED"))
        for item in collected.silent:
            made.item(
                f"{item.id}, {item.lead or t('chưa giao cơ quan chủ trì', 'no lead yet')}: {item.task or item.name}"
            )
    made.sign()
    return made.finish()


def handbook(plan: Plan, commune: str, items: Sequence[Item], office: Office, language: str = "vi") -> bytes:
    """A commune's cẩm nang: what its people will be asked about, what is good and what is not, its own tasks with day
    and evidence. At most two pages: what does not fit is in the plan, and that is said."""
    title = _t(language, f"{plan.index.vi}: việc của {commune}", f"{plan.index.en}: what {commune} does")
    notice = INTERNAL(language) if plan.own else ""
    made = OfficeDocument(office, _t(language, "Cẩm nang", "Handbook"), title, language=language, notice=notice)
    t = made.t
    made.paragraph(
        t(
            f"Kết quả {plan.known} dưới đây là của {plan.unit}, không phải của riêng xã: mẫu khảo sát không đủ để tính "
            "điểm cho từng xã.",
            f"The results of {plan.known} below are those of {plan.unit}, not of the commune: the sample is too small "
            "for scores of communes.",
        ),
        size=13,
    )
    tops = [part for parent, part in plan.parts if parent == plan.parts[0][0]][:8] if plan.parts else []
    if tops:
        made.table(
            t("Người dân được hỏi về những gì", "What people are asked about"),
            [t("Nội dung", "Part"), t("Điểm", "Score"), t("Nhóm", "Group"), t("Hướng", "What to do")],
            [
                [part.label(language), number(part.value, 2, language), GROUP_WORDS[part.group](language) or "–",
                 ADVICE[part.group](language) or "–"]
                for part in tops
            ],
            align="lrll",
            widths=[4, 1, 1.6, 1.6],
        )  # fmt: skip
    made.heading(t("Việc của xã", "What the commune does"), 2)
    shown = list(items)[:8]
    made.table(
        t("Nhiệm vụ, thời hạn, minh chứng", "Tasks, days, evidence"),
        [t("Mã", "Item"), t("Nhiệm vụ", "Task"), t("Vai trò", "Role"), t("Hạn", "Due"), t("Minh chứng", "Evidence")],
        [
            [item.id, _short(item.task or item.name), t("chủ trì", "leads") if item.lead == commune
             else t("phối hợp", "assists"), day(item.due, language) if item.due else "……", _short(item.evidence)]
            for item in shown
        ],
        align="cllll",
        widths=[0.8, 4, 1.3, 1.7, 2.4],
        note=t(f"Còn {len(items) - len(shown)} việc khác trong tệp trích.", f"{len(items) - len(shown)} more stand in "
               "the extract.") if len(items) > len(shown) else "",
    )  # fmt: skip
    made.heading(t("Báo cáo thế nào", "How to report"), 2)
    for line in (
        t("Điền cột Tình trạng, Kết quả thực hiện, Minh chứng và Người điền của tệp .xlsx kèm theo, rồi gửi lại.",
          "Fill in status, what was done, evidence and your name in the .xlsx that comes with this, and send it back."),
        t("Một nhiệm vụ chỉ một người điền; nếu hai người cùng điền, hai ý kiến được giữ và hỏi lại.",
          "One person fills in an item; if two do and differ, both are kept and you are asked."),
        t("Không hỏi trước, không nhắc người dân trả lời thế nào: làm vậy sai kết quả của chính xã mình.",
          "Nobody is told how to answer: that falsifies the commune's own results."),
    ):  # fmt: skip
        made.item(line)
    return made.finish()


def plain_name(name: str) -> str:
    """A name as a file may be called everywhere: ``so_noi_vu``."""
    return re.sub(r"[^a-z0-9]+", "_", fold(name)).strip("_") or "co_quan"


def is_commune(agency: str) -> bool:
    """Whether an agency is a commune's, by its name."""
    return bool(re.match(r"(ubnd |uy ban nhan dan )?(xa|phuong|dac khu)\b", fold(agency)))


def _subject(plan: Plan, language: str) -> str:
    return _t(
        language,
        f"Nâng cao {plan.index.vi} của {plan.unit} năm {plan.round}",
        f"To raise {plan.index.en} of {plan.unit} in {plan.round}",
    )


def _t(language: str, vi: str, en: str) -> str:
    return vi if language == "vi" else en


def _targets(made: OfficeDocument, plan: Plan) -> None:
    t, language = made.t, made.language
    for result in plan.results:
        made.item(result_sentence(result)(language))
    if not plan.targets:
        made.paragraph(t("Mục tiêu: ……………………………", "Targets: ……………………………"))
        return
    head = [t("Mã", "Code"), t("Mục tiêu", "Target"), t("Giá trị gốc", "Baseline"), t("Cần tăng", "Rise needed"),
            t("Mẫu phân biệt được từ", "Can be told from")]  # fmt: skip
    rows = [
        [one.target.code, said(one.target)(language), *(number(value, 2, language) for value in
         (one.baseline, one.needed, one.smallest))]
        for one in plan.targets
    ]  # fmt: skip
    made.table(t("Mục tiêu và khả năng kết luận của mẫu", "Targets and what the sample can tell"), head, rows,
               align="llrrr", widths=[1.6, 2.6, 1.2, 1.2, 1.6])  # fmt: skip
    for one in plan.targets:
        if one.verdict != "enough":
            made.item(f"{one.target.code}: {outlook_sentence(one)(language)}")


def _parts(made: OfficeDocument, plan: Plan) -> None:
    if not plan.parts:
        return
    t, language = made.t, made.language
    rows = []
    for _, part in plan.parts:
        place = f"{part.rank}/{part.ranked}" if part.ranked > 1 else "–"
        rows.append([part.code, part.label(language), number(part.value, 2, language), place,
                     GROUP_WORDS[part.group](language) or "–", ADVICE[part.group](language) or "–",
                     number(part.room, 2, language)])  # fmt: skip
    made.table(
        t(f"Kết quả {plan.known} của {plan.unit}", f"Results of {plan.unit}, {plan.known}"),
        [t("Mã", "Code"), t("Chỉ số", "Part"), t("Điểm", "Score"), t("Hạng", "Rank"), t("Nhóm", "Group"),
         t("Hướng", "What to do"), t("Dư địa", "Room")],
        rows,
        align="llrrllr",
        widths=[1, 3.6, 0.9, 1, 1.4, 1.4, 1],
        note=t("Dư địa: điểm còn lại tới hết thang, là phép tính, không phải tác động của biện pháp.",
               "Room: points left to the top of the scale; arithmetic, not the effect of a measure."),
    )  # fmt: skip


def _found(item: Item, language: str) -> str:
    dots = "……………"
    text = f"{item.code} {item.name}: {item.assessment}."
    if item.finding == "weakness":
        cause, who = item.cause or dots, item.responsible or dots
        text += _t(language, f" Nguyên nhân: {cause}. Trách nhiệm: {who}.", f" Cause: {cause}. Answers for it: {who}.")
    return text


def _tasks(made: OfficeDocument, items: Sequence[Item]) -> None:
    t, language = made.t, made.language
    made.table(
        t("Phân công nhiệm vụ", "Tasks"),
        [t("Mã", "Item"), t("Chỉ số", "Code"), t("Nhiệm vụ", "Task"), t("Chủ trì", "Leads"), t("Phối hợp", "Assist"),
         t("Thời hạn", "Due"), t("Minh chứng", "Evidence")],
        [
            [item.id, item.code, item.task or "……", _lead(item, language), ", ".join(item.assist),
             day(item.due, language) if item.due else "……", item.evidence or "……"]
            for item in items
        ],
        align="cclllll",
        widths=[0.9, 1, 2.9, 1.9, 2.5, 1.9, 1.7],
    )  # fmt: skip
    if any(item.assigned for item in items):
        made.paragraph(
            t(
                "Cơ quan ghi “(gợi ý)” do phần mềm gợi ý theo nội dung của chỉ số, chưa ai xác nhận: sửa hoặc bỏ chữ "
                "ấy trước khi ban hành.",
                "Agencies marked “(suggested)” follow from what the indicator is about and nobody has confirmed them: "
                "change them or take the word away before this is issued.",
            ),
            italic=True,
        )
    by_lead: dict[str, int] = {}
    for item in items:
        name = item.lead or t("(chưa giao)", "(not given yet)")
        by_lead[name] = by_lead.get(name, 0) + 1
    rows = [[name, str(count)] for name, count in sorted(by_lead.items())]
    rows.append([t("Tổng số", "Total"), str(len(items))])
    head = [t("Cơ quan chủ trì", "Leads"), t("Số nhiệm vụ", "Items")]
    title = t("Số nhiệm vụ theo cơ quan chủ trì", "Items by leading agency")
    made.table(title, head, rows, bold=[len(rows) - 1], widths=[3, 1])


def _lead(item: Item, language: str) -> str:
    return (item.lead or "……") + (_t(language, " (gợi ý)", " (suggested)") if item.assigned else "")


def _short(text: str, most: int = 140) -> str:
    return text if len(text) <= most else text[: most - 1].rsplit(" ", 1)[0] + "…"

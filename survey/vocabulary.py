"""The words for what people are and how interviews stand: one table each, for pages, commands and reports alike."""

from __future__ import annotations

from typing import NamedTuple

from survey.text import Text

ENUMERATOR = "enumerator"
SUPERVISOR = "supervisor"
STATISTICIAN = "statistician"
ADMINISTRATOR = "administrator"
OBSERVER = "observer"

ROLES: dict[str, Text] = {
    ENUMERATOR: Text("điều tra viên", "enumerator"),
    SUPERVISOR: Text("giám sát viên", "supervisor"),
    STATISTICIAN: Text("cán bộ thống kê", "statistician"),
    ADMINISTRATOR: Text("quản trị viên", "administrator"),
    OBSERVER: Text("người giám sát độc lập", "observer"),
}
"""What a person may do; :mod:`survey.web.roles` says which pages that opens. Observers are sent by the Fatherland Front
and the Veterans' Association: they see how far the work is, and change nothing."""


class Employer(NamedTuple):
    """A kind of employer, and whether its work is what people are asked about."""

    name: Text
    rated: bool


EMPLOYERS: dict[str, Employer] = {
    "commune": Employer(Text("UBND, cơ quan cấp xã", "commune authority"), True),
    "one_stop": Employer(
        Text("bộ phận Một cửa, trung tâm hành chính công", "one-stop shop, public service centre"), True
    ),
    "province": Employer(Text("sở, ban, ngành, cơ quan cấp tỉnh", "provincial authority"), True),
    "central": Employer(
        Text("cơ quan trung ương tại địa phương (thuế, bảo hiểm xã hội, công an …)", "local branch of the state"), True
    ),
    "front": Employer(Text("Mặt trận, hội, đoàn thể", "Fatherland Front, associations"), False),
    "post": Employer(Text("bưu điện", "post office"), False),
    "research": Employer(Text("trường, viện, đơn vị tư vấn", "university, institute, consultancy"), False),
    "other": Employer(Text("nơi khác, lao động tự do", "another, self-employed"), False),
}
"""Who employs a person. Those that are rated do not send interviewers to their own public without a written reason
(:mod:`survey.fieldwork.independence`)."""

TIERS: dict[str, Text] = {
    "device": Text("máy phỏng vấn", "field laptop"),
    "supervisor": Text("giám sát viên", "supervisor"),
    "province": Text("tỉnh", "province"),
    "ministry": Text("bộ", "ministry"),
}
"""Where data is kept, from below."""

STATES: dict[str, Text] = {
    "draft": Text("đang làm dở", "draft"),
    "partial": Text("làm dở trên máy khác", "unfinished on another laptop"),
    "sealed": Text("đã khóa, chờ duyệt", "sealed, awaiting review"),
    "approved": Text("đã duyệt", "approved"),
    "returned": Text("yêu cầu sửa", "returned"),
    "voided": Text("đã hủy", "voided"),
    "conflict": Text("có hai bản khác nhau", "versions differ"),
    "erased": Text("đã xóa theo yêu cầu", "erased on request"),
}
"""How an interview stands, as the fold derives it."""

ACCESS: dict[str, Text] = {
    "sign_in": Text("đăng nhập", "signed in"),
    "sign_in_failed": Text("nhập sai PIN", "wrong PIN"),
    "unlock": Text("mở khóa máy", "unlocked the machine"),
    "passphrase": Text("đổi cụm mật khẩu", "passphrase changed"),
    "recovered": Text("mở bằng khóa khôi phục", "opened with the recovery key"),
    "encrypted": Text("mã hóa kho dữ liệu", "store encrypted"),
    "contact": Text("xem dữ liệu liên hệ", "looked at contact data"),
    "export": Text("xuất dữ liệu", "exported data"),
    "export_contact": Text("xuất dữ liệu liên hệ", "exported contact data"),
    "person_export": Text("xuất dữ liệu của một người", "exported a person's data"),
    "record": Text("xuất hồ sơ xử lý dữ liệu", "exported the record of processing"),
    "log_export": Text("xuất nhật ký truy cập", "exported the log of access"),
    "erased": Text("xóa theo yêu cầu", "erased"),
    "contact_erased": Text("xóa dữ liệu liên hệ", "erased contact data"),
    "person": Text("người dùng, vai trò: thêm, đổi", "person or roles added or changed"),
    "device": Text("máy: thêm, đăng ký, thu hồi", "machine added, enrolled, revoked"),
    "round": Text("ban hành đợt khảo sát", "round issued"),
}
"""What the log of access tells (:mod:`survey.store.audit`)."""

IN_FEEDS = ("erased", "contact_erased", "person", "device", "round")
"""Of these, what the feeds say themselves."""


class Asked(NamedTuple):
    """What a respondent may ask for, and in how many days it has to be done."""

    name: Text
    days: int


REQUESTS: dict[str, Asked] = {
    "access": Asked(Text("xem, nhận bản sao", "see it, get a copy"), 10),
    "correct": Asked(Text("sửa", "correct it"), 10),
    "erase": Asked(Text("xóa", "erase it"), 10),
    "withdraw": Asked(Text("rút lại sự đồng ý", "withdraw consent"), 15),
    "object": Asked(Text("hạn chế, phản đối xử lý", "limit, object"), 15),
}
"""Decree 356/2025: withdrawal, limit and objection in 15 days, others in 10 to 20 by kind; the shortest is taken."""

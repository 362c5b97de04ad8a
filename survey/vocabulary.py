"""The words for what people are and how interviews stand: one table each, for pages, commands and reports alike."""

from __future__ import annotations

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

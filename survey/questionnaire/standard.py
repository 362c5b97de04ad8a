"""What this program does with each part of the XLSForm standard: one table of columns, settings, types, parameters and
appearances. ``check`` names what is not carried out; ``docs/xlsform.md`` is this table written out.

The names are those of the ODK XLSForm reference and of pyxform 4.5, with ours at their place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from survey.text import Text


@dataclass(frozen=True)
class Part:
    """One name of the standard: how it ``stands`` here, and what it does, or what happens instead."""

    stands: str
    what: Text = Text("", "")


def _done(vi: str = "", en: str = "") -> Part:
    """Carried out."""
    return Part("done", Text(vi, en))


def _idle(vi: str, en: str) -> Part:
    """Has nothing to do on a laptop, or only remarks for people; nothing is lost, and nothing is said."""
    return Part("idle", Text(vi, en))


def _screen(vi: str, en: str) -> Part:
    """Arranges the screen of a telephone; asked in the plain way here, said once for a form."""
    return Part("screen", Text(vi, en))


def _not(vi: str, en: str) -> Part:
    """Not carried out: named with its row and column."""
    return Part("not", Text(vi, en))


_TEXTS = ("label", "hint", "guidance_hint", "constraint_message", "required_message")
_EXPRESSIONS = ("relevant", "constraint", "required", "readonly", "calculation", "choice_filter", "repeat_count")
_KOBO = ("kobo--locking-profile", "$autoname", "$kuid", "$given_name", "$qpath", "$xpath", "body")
_NOTES = ("note", "notes", "comment", "comments")

SURVEY: dict[str, Part] = {
    **{name: _done() for name in ("type", "name", *_TEXTS, *_EXPRESSIONS, "default", "trigger", "parameters")},
    **{
        name: _done(f"cách viết khác của {usual}", f"another spelling of {usual}")
        for name, usual in {
            "command": "type",
            "tag": "name",
            "value": "name",
            "caption": "label",
            "relevance": "relevant",
            "read_only": "readonly",
            "calculate": "calculation",
            "count": "repeat_count",
            "constraining_message": "constraint_message",
            "requiredmsg": "required_message",
            "jr:count": "repeat_count",
        }.items()
    },
    "appearance": _done("xem bảng appearance", "see the table of appearances"),
    "disabled": _done("dòng có yes không được đọc", "a row with yes is not read"),
    **{
        name: _done("hiện hoặc phát ở câu hỏi", "shown or played at the question")
        for name in ("image", "audio", "video")
    },
    "big-image": _done("hiện như image", "shown as image"),
    "missing": _done("cột của chương trình này: các loại trả lời thiếu", "ours: the kinds of missing answers offered"),
    "missing_codes": _done("của chương trình này: mã của chúng trên phiếu giấy", "ours: their codes on paper"),
    "contact": _done("của chương trình này: giữ riêng thông tin liên hệ", "ours: kept apart as contact data"),
    "soft_constraint": _done("của chương trình này: kiểm tra mềm", "ours: a soft check"),
    "soft_constraint_message": _done("của chương trình này: lời của kiểm tra mềm", "ours: what the soft check says"),
    **{name: _idle("ghi chú của người soạn", "a remark of the author") for name in _NOTES},
    **{name: _idle("do KoboToolbox ghi", "written by KoboToolbox") for name in _KOBO[:-1]},
    "autoplay": _not("không tự phát: bấm F4", "does not play by itself: press F4"),
    "rows": _screen("chiều cao của ô chữ", "the height of a text box"),
    "save_to": _not("không lưu vào danh sách thực thể (entities) của ODK", "nothing is saved to ODK's entities"),
    "intent": _not("không mở được ứng dụng khác", "no other app is opened"),
    "query": _not(
        "không hỏi external_choices; dùng choice_filter", "external_choices are not queried; use choice_filter"
    ),
    "noapperrorstring": _not("không có ứng dụng khác để báo thiếu", "there is no other app to be missing"),
    "no_app_error_string": _not("không có ứng dụng khác để báo thiếu", "there is no other app to be missing"),
    "compact_tag": _not("không gửi phiếu bằng tin nhắn SMS", "no interview is sent as a short message"),
    **{
        f"sms_{name}": _not("không gửi phiếu bằng tin nhắn SMS", "no interview is sent as a short message")
        for name in ("field", "option", "separator", "allow_media", "date_format", "datetime_format", "response")
    },
    "hxl": _not("thẻ HXL không vào dữ liệu xuất", "HXL tags do not get into exported data"),
    "list_name": _idle("thuộc trang choices", "belongs to the sheet choices"),
}

GROUPED: dict[str, frozenset[str]] = {
    "media": frozenset({"image", "big-image", "audio", "video"}),
    "control": frozenset({"appearance", "jr:count"}),
    "body": frozenset({"appearance", "jr:count"}),
    "bind": frozenset(
        {
            *("type", "relevant", "constraint", "required", "readonly", "calculate"),
            *("jr:constraintmsg", "jr:requiredmsg", "jr:preload", "jr:preloadparams"),
        }
    ),
    "instance": frozenset(),
    "jr": frozenset({"count"}),
}
"""Columns written as ``group::name``, and the names in them that are carried out: attributes of the XForm that the
sheet sets by hand. All others are named by ``check``."""

CHOICES: dict[str, Part] = {
    **{name: _done() for name in ("list_name", "name", "label")},
    "value": _done("cách viết khác của name", "another spelling of name"),
    "caption": _done("cách viết khác của label", "another spelling of label"),
    **{name: _done("hiện hoặc phát ở phương án", "shown or played at the choice") for name in ("image", "audio")},
    "big-image": _done("hiện như image", "shown as image"),
    "video": _not("phương án không có phim", "choices have no films"),
    "media": _done("media::image, media::audio", "media::image, media::audio"),
    "missing_kind": _done("của chương trình này: loại trả lời thiếu mà mã này là", "ours: the missing kind a code is"),
    "geometry": _idle("chỉ dùng trong biểu thức: không có bản đồ", "for expressions alone: there is no map"),
    "order": _idle("ghi chú của người soạn", "a remark of the author"),
}

SETTINGS: dict[str, Part] = {
    **{name: _done() for name in ("form_title", "form_id", "version", "default_language", "instance_name")},
    **{
        name: _done(f"cách viết khác của {usual}", f"another spelling of {usual}")
        for name, usual in {
            **dict.fromkeys(("title", "label", "set_form_title"), "form_title"),
            **dict.fromkeys(("id_string", "set_form_id"), "form_id"),
        }.items()
    },
    "name": _done("tên gốc trong đường dẫn", "the root's name in paths"),
    "allow_choice_duplicates": _done(),
    "clean_text_values": _done(),
    "note": _done("của chương trình này: lời dẫn của thang đo", "ours: what the measure says of itself"),
    "style": _idle("mỗi nhóm là một trang", "each group is a page"),
    "namespaces": _idle("không có trong dữ liệu", "not part of the data"),
    "instance_id": _idle("mỗi phiếu có UUID của mình", "each interview has its own UUID"),
    "omit_instanceid": _idle("mỗi phiếu có UUID của mình", "each interview has its own UUID"),
    "public_key": _not(
        "phiếu được mã hóa cho máy chủ tiếp nhận, không theo khóa này",
        "bundles are encrypted to the hub, not to this key",
    ),
    "submission_url": _not("phiếu được nộp cho máy chủ tiếp nhận của đợt", "interviews are handed to the round's hub"),
    "auto_send": _not("người nộp phiếu, không tự gửi", "a person hands over; nothing is sent by itself"),
    "auto_delete": _not("máy giữ phiếu đến khi có xác nhận", "kept until there is a receipt"),
    "client_editable": _not(
        "phiếu đã khóa chỉ sửa khi được yêu cầu", "a sealed interview is changed only when returned"
    ),
    "attribute": _not("phiếu không mang thuộc tính này", "interviews do not carry this attribute"),
    "flat": _not("nhóm vẫn là nhóm", "groups stay groups"),
    "add_none_option": _not("thêm phương án «none» vào choices", "add a choice “none” to the list"),
    "prefix": _not("không gửi phiếu bằng tin nhắn SMS", "no interview is sent as a short message"),
    "delimiter": _not("không gửi phiếu bằng tin nhắn SMS", "no interview is sent as a short message"),
    **{
        f"sms_{name}": _not("không gửi phiếu bằng tin nhắn SMS", "no interview is sent as a short message")
        for name in ("keyword", "separator", "allow_media", "date_format", "datetime_format", "response")
    },
}

TYPES: dict[str, Part] = {
    **{
        name: _done()
        for name in ("text", "integer", "decimal", "date", "time", "dateTime", "note", "calculate", "hidden")
    },
    **{name: _done() for name in ("range", "acknowledge", "select_one", "select_multiple", "rank")},
    "select_one_from_file": _done("từ tệp .csv cạnh bảng hỏi", "from a .csv file beside the form"),
    "select_multiple_from_file": _done("từ tệp .csv cạnh bảng hỏi", "from a .csv file beside the form"),
    **{name: _done("tệp chọn từ máy", "a file chosen on the laptop") for name in ("image", "audio", "video", "file")},
    "geopoint": _done("gõ tay hoặc dán", "typed or pasted"),
    "geotrace": _done("gõ tay: các điểm cách nhau bằng ;", "typed: points between semicolons"),
    "geoshape": _done("gõ tay: các điểm cách nhau bằng ;", "typed: points between semicolons"),
    **{name: _done("máy tự ghi", "noted by the laptop") for name in ("start", "end", "today", "deviceid", "username")},
    **{
        name: _not("máy tính không có: để trống", "a laptop has none: left empty")
        for name in ("phonenumber", "email", "simserial", "subscriberid")
    },
    "csv-external": _done(
        "đọc trong biểu thức bằng instance() hay pulldata()", "read in expressions by instance() or pulldata()"
    ),
    "barcode": _not("quét mã vạch: trên máy này phải gõ tay", "scanning a barcode: here it is typed"),
    "background-audio": _not("ghi âm nền", "recording sound in the background"),
    "osm": _not("bản đồ OpenStreetMap", "OpenStreetMap"),
    "start-geopoint": _not("ghi vị trí lúc bắt đầu", "the position at the start"),
    "background-geopoint": _not("ghi vị trí ngầm", "the position in the background"),
    "select_one_external": _not("danh sách trong external_choices", "lists in external_choices"),
    "audit": _not("nhật ký audit của ODK; chương trình tự ghi thời gian", "ODK's audit log; times are kept anyway"),
    "xml-external": _not("dữ liệu XML kèm theo", "attached XML data"),
}

PARAMETERS: dict[str, dict[str, Part]] = {
    "range": {
        **{name: _done() for name in ("start", "end", "step")},
        **{
            name: _screen("vạch và chữ trên thanh trượt", "ticks and words on the slider")
            for name in ("tick_interval", "tick_labelset", "placeholder")
        },
    },
    "select": {
        "randomize": _done(),
        "seed": _done(),
        "value": _done("chỉ của tệp", "of files only"),
        "label": _done("chỉ của tệp", "of files only"),
    },
    "image": {
        "max-pixels": _done("ảnh được thu nhỏ trước khi giữ", "pictures are made smaller before they are kept"),
        "app": _not("không mở được ứng dụng khác", "no other app is opened"),
    },
    "text": {"rows": _screen("chiều cao của ô chữ", "the height of a text box")},
    "audio": {"quality": _not("tệp được giữ như khi chọn", "files are kept as they were chosen")},
    "geo": {
        **{
            name: _not("vị trí được gõ, không đo", "positions are typed, not measured")
            for name in (
                "capture-accuracy",
                "warning-accuracy",
                "allow-mock-accuracy",
                "incremental",
                "reference-geometry",
            )
        },
    },
    "audit": {
        **{
            name: _not("xem loại audit", "see the type audit")
            for name in (
                *("identify-user", "track-changes", "track-changes-reasons"),
                *("location-priority", "location-min-interval", "location-max-age"),
            )
        },
    },
}
"""By family of types (:func:`family`), the words of the column ``parameters``."""

_CALENDARS = ("bikram-sambat", "buddhist", "coptic", "ethiopian", "islamic", "myanmar", "persian")

APPEARANCES: dict[str, Part] = {
    **{
        name: _done("ô tìm trong danh sách", "a box that searches the list")
        for name in ("minimal", "autocomplete", "autocomplete_chars", "search")
    },
    "likert": _done("các nút nằm ngang theo thang", "buttons along a scale"),
    **{
        name: _done("các nút nằm ngang", "buttons side by side")
        for name in ("horizontal", "horizontal-compact", "columns", "columns-pack")
    },
    **{
        name: _done("lưới: mỗi câu một dòng", "a grid with one row a question")
        for name in ("label", "list-nolabel", "list-no-label", "no-label", "table-list")
    },
    "multiline": _done("ô nhiều dòng", "a box of several lines"),
    "month-year": _done("chỉ ghi tháng và năm", "month and year alone are written"),
    "year": _done("chỉ ghi năm", "the year alone is written"),
    "private": _done("của chương trình này: hỏi riêng", "ours: asked in private"),
    "hoi-rieng": _done("của chương trình này: hỏi riêng", "ours: asked in private"),
    "field-list": _done("mỗi nhóm là một trang", "each group is a page"),
    "quick": _done("phím chọn xong thì sang câu sau", "a key chooses and goes on"),
    "numbers": _done("gõ chữ số", "figures are typed"),
    **{
        name: _screen("xếp các nút trên điện thoại", "arranges buttons on a telephone")
        for name in ("compact", "quickcompact", "vertical", "picker", "no-ticks", "full")
    },
    **{
        name: _screen("lịch trên điện thoại: ở đây gõ ngày", "a telephone's calendar: here the date is typed")
        for name in ("no-calendar", "no-calender")
    },
    "thousands-sep": _screen("dấu phân cách hàng nghìn khi gõ", "a sign between thousands while one types"),
    **{
        name: _not("không có lịch này: gõ ngày dương lịch", "there is no such calendar: the common date is typed")
        for name in _CALENDARS
    },
    **{
        name: _not("không có bản đồ: vị trí được gõ", "there is no map: positions are typed")
        for name in ("map", "maps", "placement-map", "streets", "topographic", "terrain", "satellite")
    },
    "image-map": _not(
        "không bấm vào hình được: chọn trong danh sách", "a picture cannot be pressed: choose from the list"
    ),
    **{
        name: _not("không vẽ hay ký trên máy: gửi tệp ảnh", "nothing is drawn or signed here: a picture file is sent")
        for name in ("draw", "annotate", "signature")
    },
    **{
        name: _not("không chụp trên máy: chọn tệp", "no picture is taken here: choose a file")
        for name in ("new", "new-front", "selfie", "new-rear")
    },
    "hidden-answer": _not("câu trả lời vẫn hiện", "the answer is shown all the same"),
    "masked": _not("câu trả lời vẫn hiện", "the answer is shown all the same"),
    "rating": _not("hỏi bằng số thay vì sao", "asked by number, not by stars"),
    "counter": _not("gõ số thay vì bấm +", "the number is typed"),
    "bearing": _not("không đo hướng: gõ số độ", "no bearing is measured: degrees are typed"),
    "url": _not("không mở trang web", "no web page is opened"),
    "distress": _not("không có thanh này: gõ số", "there is no such slider: the number is typed"),
    "randomized": _not("dùng parameters randomize=true", "use the parameter randomize=true"),
}

ARRANGED = re.compile(r"w\d+|columns-\d+|compact-\d+|quickcompact-\d+")
"""Appearances with a number, which only arrange the screen (``columns-3`` sets the buttons side by side)."""

OPENS_APPS = re.compile(r"(?:ex|printer|intent):.*", re.IGNORECASE)
"""Appearances that open another app of a telephone."""


def family(kind: str) -> str:
    """The family of types that shares its ``parameters``: ``select_one_from_file`` is of ``select``."""
    if kind.startswith("select") or kind == "rank":
        return "select"
    if kind in ("geopoint", "geotrace", "geoshape", "start-geopoint", "background-geopoint"):
        return "geo"
    return {"photo": "image", "background-audio": "audio", "string": "text"}.get(kind, kind)


def attribute(head: str, name: str) -> Part:
    """How an attribute column such as ``bind::odk:length`` stands."""
    if name.lower() in GROUPED.get(head, frozenset()):
        return _done()
    return _not("thuộc tính này của XForm không có tác dụng", "this attribute of the XForm has no effect")

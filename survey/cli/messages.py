"""What click and the operating system have to say, in our two languages."""

from __future__ import annotations

import errno

import click

from survey.text import Text

_OS: dict[int, tuple[Text, Text]] = {
    errno.ENOENT: (
        Text("không có tệp hoặc thư mục này", "there is no such file or folder"),
        Text("kiểm tra lại đường dẫn", "check the path"),
    ),
    errno.EACCES: (
        Text("không có quyền đọc hoặc ghi", "no permission to read or write"),
        Text("chọn thư mục khác hoặc xin quyền", "choose another folder or ask for permission"),
    ),
    errno.EPERM: (
        Text("hệ điều hành không cho phép", "the operating system does not allow it"),
        Text("chọn thư mục khác hoặc xin quyền", "choose another folder or ask for permission"),
    ),
    errno.EROFS: (
        Text("ổ đĩa chỉ cho đọc", "the disk is read-only"),
        Text("gạt khóa chống ghi hoặc dùng ổ khác", "release its write lock or use another disk"),
    ),
    errno.ENOSPC: (
        Text("ổ đĩa đã đầy", "the disk is full"),
        Text("giải phóng dung lượng rồi làm lại", "free some space and try again"),
    ),
    errno.EISDIR: (
        Text("đây là thư mục, không phải tệp", "this is a folder, not a file"),
        Text("nêu tên tệp", "name a file"),
    ),
    errno.EEXIST: (
        Text("đã có tệp hoặc thư mục tên này", "a file or folder of this name exists"),
        Text("chọn tên khác", "choose another name"),
    ),
}


def of_os(error: OSError) -> Text:
    """``where: what; what to do`` for an error of the operating system (a path, a permission, a full disk)."""
    where = str(error.filename or "survey")
    plain = error.strerror or type(error).__name__
    what, todo = _OS.get(
        error.errno or 0,
        (Text(f"hệ điều hành báo lỗi ({plain})", plain), Text("kiểm tra lại rồi làm lại", "check it and try again")),
    )
    return Text(f"{where}: {what.vi}; {todo.vi}", f"{where}: {what.en}; {todo.en}")


def of_usage(error: click.UsageError, program: str) -> Text:
    """``where: what; what to do`` for a command line that click could not read."""
    where = error.ctx.command_path if error.ctx else program
    what = _usage(error)
    todo = Text(f"xem {where} --help", f"see {where} --help")
    return Text(f"{where}: {what.vi}; {todo.vi}", f"{where}: {what.en}; {todo.en}")


def _usage(error: click.UsageError) -> Text:
    if isinstance(error, (click.NoSuchOption, click.NoSuchCommand)):
        close = ", ".join(error.possibilities or ())
        if isinstance(error, click.NoSuchOption):
            there_is_no = Text(f"không có tùy chọn {error.option_name}", f"there is no option {error.option_name}")
        else:
            there_is_no = Text(f"không có lệnh {error.command_name}", f"there is no command {error.command_name}")
        return Text(
            there_is_no.vi + (f" (ý là {close}?)" if close else ""),
            there_is_no.en + (f" (did you mean {close}?)" if close else ""),
        )
    if isinstance(error, click.BadParameter):
        name = error.param.human_readable_name if error.param else ""
        shown = error.param.opts[0] if error.param and error.param.param_type_name == "option" else name
        if isinstance(error, click.MissingParameter):
            return Text(f"thiếu {shown}", f"{shown} is missing")
        plain = error.message.rstrip(".")
        return Text(f"{shown}: giá trị không dùng được ({plain})", f"{shown}: {plain}")
    plain = error.format_message().rstrip(".")
    return Text(f"không hiểu dòng lệnh ({plain})", plain)

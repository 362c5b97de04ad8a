"""What goes wrong, as a page that says where, what, and what to do. Nothing that was saved is touched by any of it."""

from __future__ import annotations

from flask import Flask, current_app, g, render_template, request, url_for
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError, SecurityError

from survey.errors import NotAllowed, Problem, Problems, StoreError, SurveyError
from survey.text import Text
from survey.web import words

HTTP: dict[int, Problem] = {
    400: Problem(
        "survey",
        Text("trình duyệt gửi điều chương trình không hiểu", "the browser sent something that was not understood"),
        Text("quay lại trang trước và thử lại", "go back to the page before and try again"),
    ),
    404: Problem(
        "survey",
        Text("không có trang này", "there is no such page"),
        Text("mở từ trang Hôm nay", "start from the page Today"),
    ),
    405: Problem(
        "survey",
        Text("trang này không mở được bằng cách đó", "this page cannot be opened that way"),
        Text("mở từ trang Hôm nay", "start from the page Today"),
    ),
    413: Problem(
        "survey",
        Text("nội dung quá dài hoặc tệp quá lớn", "what was sent is too long, or the file too large"),
        Text("rút ngắn, giảm cỡ tệp rồi thử lại", "shorten it, make the file smaller, and try again"),
    ),
}

CRASH = Problem(
    "survey",
    Text(
        "chương trình gặp lỗi; những câu đã ghi “đã lưu” vẫn còn nguyên",
        "the program met an error; every answer marked “saved” is safe",
    ),
    Text("quay lại trang trước; nếu lặp lại, báo người hỗ trợ", "go back; if it happens again, tell your support"),
)

EXPIRED = Problem(
    "survey",
    Text("phiên làm việc đã đổi nên việc vừa bấm chưa được thực hiện", "the session has changed, so nothing was done"),
    Text("tải lại trang rồi làm lại", "reload the page and do it again"),
)


def page(problems: tuple[Problem, ...], status: int, tone: str = "look") -> tuple[str, int]:
    """The page that tells these problems and offers a way on."""
    if request.headers.get("HX-Request"):
        return render_template("notice.html", problems=problems, tone=tone), status
    signed_in = g.get("person") is not None
    return (
        render_template(
            "problem.html",
            problems=problems,
            tone=tone,
            heading=words.t("Chưa làm được", "This could not be done"),
            way_on=url_for("account.home"),
            way_name=words.t("Về trang của tôi", "To my page") if signed_in else words.t("Đăng nhập", "Sign in"),
        ),
        status,
    )


def answer(app: Flask) -> None:
    """Registers the pages for everything that may go wrong."""

    @app.errorhandler(SurveyError)
    def survey_error(error: SurveyError) -> tuple[str, int]:
        if isinstance(error, NotAllowed):
            return page((error.problem,), 403)
        if isinstance(error, StoreError):
            return page((error.problem,), 503, "stop")
        return page(error.problems if isinstance(error, Problems) else (error.problem,), 400)

    @app.errorhandler(CSRFError)
    def csrf_error(error: CSRFError) -> tuple[str, int]:
        return page((EXPIRED,), 400)

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> tuple[str, int]:
        if isinstance(error, SecurityError):
            # A page of another site that points its name at this machine learns nothing, not even the language.
            return "Bad host", 400
        code = error.code or 500
        if isinstance(error, InternalServerError):
            current_app.logger.exception("a page failed", exc_info=error.original_exception)
            return page((CRASH,), 500, "stop")
        return page((HTTP.get(code, HTTP[400]),), code)

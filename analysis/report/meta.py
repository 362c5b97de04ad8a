"""What a report must know besides the scores: the round, how the figures were made, names of domains.

Everything here is told, nothing is guessed: a fact that is not known is left out of the page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from survey.text import Text

NONE = Text("", "")

INTERNAL = Text(
    "Kết quả khảo sát nội bộ theo khung SIPAS/PAPI, không phải kết quả công bố chính thức",
    "Internal survey results in the frame of SIPAS/PAPI, not an official publication",
)
PUBLISHED = Text(
    "Trình bày lại số liệu đã công bố; không phải kết quả khảo sát của đơn vị",
    "Published figures shown again; not results of our own survey",
)

# Levels of place: their domains are listed by value. Any other level is a group of people, listed in its own order.
PLACES = {
    "region": Text("Vùng", "Region"),
    "province": Text("Tỉnh, thành phố", "Province"),
    "district": Text("Huyện", "District"),
    "commune": Text("Xã, phường, đặc khu", "Commune"),
    "village": Text("Thôn, tổ dân phố", "Village"),
}
LEVELS = PLACES | {
    "sex": Text("Giới tính", "Sex"),
    "ethnicity": Text("Dân tộc", "Ethnicity"),
    "age_group": Text("Nhóm tuổi", "Age group"),
    "education": Text("Trình độ học vấn", "Education"),
    "occupation": Text("Nghề nghiệp", "Occupation"),
    "area": Text("Thành thị, nông thôn", "Urban or rural"),
    "urban_rural": Text("Thành thị, nông thôn", "Urban or rural"),
    "mode": Text("Hình thức khảo sát", "Mode of interview"),
    "stratum": Text("Tầng", "Stratum"),
    "domain": Text("Nhóm", "Domain"),
}


@dataclass(frozen=True)
class Fact:
    """One line of the method box."""

    name: Text
    value: Text


@dataclass(frozen=True)
class Meta:
    """The frame around the scores.

    ``starts``, ``ends`` and ``made`` are ISO dates. ``level`` is the confidence level (0.95). ``level_names`` names
    domain levels, ``domain_names`` their domains: ``{"sex": {"female": Text("Nữ", "Female")}}``. ``silent`` is by code
    the share of those asked who did not know or did not answer. ``commands`` are the lines that repeat the figures,
    ``assumptions`` what scoring said of the figures as a whole.
    """

    title: Text
    index_title: Text
    index: str = ""
    round: str = ""
    label: Text = NONE
    places: tuple[Text, ...] = ()
    starts: str = ""
    ends: str = ""
    made: str = ""
    synthetic: bool = False
    pilot: bool = False
    provisional: bool = False
    level: float = 0.95
    method: tuple[Fact, ...] = ()
    commands: tuple[str, ...] = ()
    silent: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[Text, ...] = ()
    assumptions: tuple[Text, ...] = ()
    level_names: Mapping[str, Text] = field(default_factory=dict)
    domain_names: Mapping[str, Mapping[str, Text]] = field(default_factory=dict)

    def level_name(self, level: str) -> Text:
        """A domain level in words; a crossing (``province*sex``) names both."""
        parts = [self.level_names.get(one) or LEVELS.get(one) or Text(one, one) for one in level.split("*")]
        return Text(" × ".join(part.vi for part in parts), " × ".join(part.en for part in parts))

    def domain_name(self, level: str, domain: str) -> Text:
        """A domain in words: the name told for its code, else the code itself."""
        levels, codes = level.split("*"), domain.split("|")
        if len(levels) != len(codes):
            return Text(domain, domain)
        parts = [
            self.domain_names.get(one, {}).get(code) or Text(code, code)
            for one, code in zip(levels, codes, strict=True)
        ]
        return Text(" · ".join(part.vi for part in parts), " · ".join(part.en for part in parts))

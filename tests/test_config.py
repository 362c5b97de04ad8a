"""The settings of an instance, as a person edits them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from survey import config
from survey.config import Config
from survey.errors import InputError, Problems


def test_an_instance_without_a_file_has_the_defaults(tmp_path: Path):
    assert config.load(tmp_path) == Config()


def test_what_is_written_is_read_back_and_explains_itself_in_both_languages(tmp_path: Path):
    chosen = dataclasses.replace(Config(), language="en", port=9000)
    text = config.write(tmp_path, chosen).read_text(encoding="utf-8")
    assert config.load(tmp_path) == chosen
    for entry in dataclasses.fields(Config):
        assert entry.metadata["help"].vi in text
        assert entry.metadata["help"].en in text


def test_a_file_saved_by_notepad_with_a_byte_order_mark_is_read(tmp_path: Path):
    (tmp_path / config.FILE).write_bytes("\ufeffport = 9001\r\n".encode())
    assert config.load(tmp_path).port == 9001


def test_every_wrong_setting_is_named_at_once_with_what_to_write_instead(tmp_path: Path):
    (tmp_path / config.FILE).write_text('prot = 9000\nlanguage = "fr"\nidle_minutes = "ten"\n', encoding="utf-8")
    with pytest.raises(Problems) as caught:
        config.load(tmp_path)
    said = caught.value("en").splitlines()
    assert len(said) == 3
    assert said[0].endswith("config.toml, prot: there is no setting of this name; did you mean port?")
    assert said[1].endswith("""language: the value 'fr' cannot be used; use "vi" or "en\"""")
    assert said[2].endswith("idle_minutes: the value 'ten' cannot be used; use a whole number from 1 to 1440")


def test_broken_toml_says_where(tmp_path: Path):
    (tmp_path / config.FILE).write_text("port = \n", encoding="utf-8")
    with pytest.raises(InputError, match="line 1"):
        config.load(tmp_path)

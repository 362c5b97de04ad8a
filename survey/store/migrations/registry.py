"""The list that every step of the schema registers itself in."""

from sqlite_utils import Migrations

migrations = Migrations("survey")

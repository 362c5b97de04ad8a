"""Steps of the schema: the board and its counts, the log of access, measures of what is new. The next step goes to the
end."""

from __future__ import annotations

from sqlite_utils import Database

from survey.store.migrations.registry import migrations


@migrations()
def m012_board(db: Database) -> None:
    """What pages count, filter and sort by, a row a unit and a row an interview, with a note of what is out of date
    (:mod:`survey.store.board`); and when each device was heard of."""
    db.executescript(
        """
        CREATE TABLE board_units (
            unit TEXT PRIMARY KEY,
            round TEXT NOT NULL,
            list TEXT NOT NULL,
            counted INTEGER NOT NULL,
            province TEXT NOT NULL,
            commune TEXT NOT NULL,
            village TEXT NOT NULL,
            assignee TEXT NOT NULL,
            code TEXT NOT NULL,
            visits INTEGER NOT NULL,
            last TEXT NOT NULL,
            sort TEXT NOT NULL
        ) STRICT;
        CREATE INDEX board_units_count
            ON board_units (round, counted, province, commune, village, assignee, code, list);
        CREATE INDEX board_units_commune ON board_units (round, commune, sort, unit);
        CREATE INDEX board_units_assignee ON board_units (round, assignee, sort, unit);
        CREATE INDEX board_units_code ON board_units (round, code, sort, unit);
        CREATE INDEX board_units_sort ON board_units (round, sort, unit);

        CREATE TABLE board_interviews (
            interview TEXT PRIMARY KEY,
            unit TEXT NOT NULL,
            round TEXT NOT NULL,
            list TEXT NOT NULL,
            province TEXT NOT NULL,
            commune TEXT NOT NULL,
            village TEXT NOT NULL,
            enumerator TEXT NOT NULL,
            device TEXT NOT NULL,
            state TEXT NOT NULL,
            need INTEGER NOT NULL,
            time TEXT NOT NULL,
            day TEXT NOT NULL,
            seconds REAL NOT NULL,
            kept INTEGER NOT NULL,
            flags INTEGER NOT NULL,
            comments INTEGER NOT NULL,
            opposed INTEGER NOT NULL,
            twice INTEGER NOT NULL,
            approvals INTEGER NOT NULL,
            calm INTEGER NOT NULL,
            held INTEGER NOT NULL,
            supervisor INTEGER NOT NULL,
            province_has INTEGER NOT NULL,
            ministry INTEGER NOT NULL,
            sort TEXT NOT NULL,
            words TEXT NOT NULL
        ) STRICT;
        CREATE INDEX board_interviews_unit ON board_interviews (unit);
        CREATE INDEX board_interviews_count
            ON board_interviews (round, province, commune, village, enumerator, day, list, state, calm);
        CREATE INDEX board_interviews_safe ON board_interviews (held, supervisor, province_has, ministry);
        CREATE INDEX board_interviews_place ON board_interviews (need, sort, time, interview);
        CREATE INDEX board_interviews_state ON board_interviews (state, sort, time, interview);
        CREATE INDEX board_interviews_risk ON board_interviews (state, calm, seconds, interview);
        CREATE INDEX board_interviews_commune ON board_interviews (commune, need, sort, time, interview);
        CREATE INDEX board_interviews_enumerator ON board_interviews (enumerator, need, sort, time, interview);
        CREATE INDEX board_interviews_day ON board_interviews (day, need, sort, time, interview);
        CREATE INDEX board_interviews_device ON board_interviews (device, time);

        CREATE TABLE board_names (unit TEXT PRIMARY KEY, words TEXT NOT NULL) STRICT, WITHOUT ROWID;

        CREATE TABLE board_places (
            round TEXT NOT NULL,
            level TEXT NOT NULL,
            code TEXT NOT NULL,
            parent TEXT NOT NULL,
            name TEXT NOT NULL,
            PRIMARY KEY (round, level, code)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE board_findings (
            interview TEXT NOT NULL,
            number INTEGER NOT NULL,
            round TEXT NOT NULL,
            name TEXT NOT NULL,
            vi TEXT NOT NULL,
            en TEXT NOT NULL,
            points INTEGER NOT NULL,
            PRIMARY KEY (interview, number)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX board_findings_round ON board_findings (round);

        CREATE TABLE stale_units (unit TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;

        CREATE TABLE heard (
            device TEXT PRIMARY KEY,
            time TEXT NOT NULL,
            way TEXT NOT NULL,
            program TEXT NOT NULL
        ) STRICT;

        CREATE INDEX documents_assignee ON documents (assignee, subject_type);

        -- Every unit that something happened to is noted by the database itself, whoever wrote.
        CREATE TRIGGER stale_by_interview AFTER INSERT ON interviews
        BEGIN INSERT OR IGNORE INTO stale_units (unit) VALUES (NEW.unit); END;

        CREATE TRIGGER stale_by_document AFTER INSERT ON documents
        WHEN NEW.subject_type IN ('unit', 'visit')
        BEGIN
            INSERT OR IGNORE INTO stale_units (unit)
            VALUES (CASE NEW.subject_type WHEN 'unit' THEN NEW.subject ELSE NEW.unit END);
        END;

        CREATE TRIGGER stale_by_receipt AFTER INSERT ON receipted
        BEGIN
            INSERT OR IGNORE INTO stale_units (unit)
            SELECT i.unit FROM revisions r JOIN interviews i ON i.interview = r.subject
            WHERE r.number = NEW.revision AND r.subject_type = 'interview';
        END;

        CREATE TRIGGER stale_by_lost_receipt AFTER DELETE ON receipted
        BEGIN
            INSERT OR IGNORE INTO stale_units (unit)
            SELECT i.unit FROM revisions r JOIN interviews i ON i.interview = r.subject
            WHERE r.number = OLD.revision AND r.subject_type = 'interview';
        END;

        CREATE TRIGGER stale_by_draft AFTER INSERT ON drafts
        BEGIN INSERT OR IGNORE INTO stale_units (unit) VALUES (NEW.unit); END;

        CREATE TRIGGER stale_by_draft_gone AFTER DELETE ON drafts
        BEGIN INSERT OR IGNORE INTO stale_units (unit) VALUES (OLD.unit); END;

        -- A name that was erased must not stand on in what was made for searching.
        CREATE TRIGGER names_of_the_erased AFTER DELETE ON parts
        BEGIN DELETE FROM board_names WHERE unit = (SELECT subject FROM revisions WHERE number = OLD.revision); END;

        INSERT OR IGNORE INTO stale_units (unit)
        SELECT unit FROM interviews
        UNION SELECT subject FROM documents WHERE subject_type = 'unit'
        UNION SELECT unit FROM documents WHERE subject_type = 'visit'
        UNION SELECT unit FROM drafts;
        """
    )


@migrations()
def m013_answers_packed(db: Database) -> None:
    """Nothing to change: from here on ``answers`` and ``off_path`` may lie packed (:mod:`survey.store.packing`), which
    an older program must not take for damage."""


@migrations()
def m014_audit(db: Database) -> None:
    """The log of access: each entry with the hash of the one before, none ever changed or removed."""
    db.executescript(
        """
        CREATE TABLE audit (number INTEGER PRIMARY KEY, entry BLOB NOT NULL, hash TEXT NOT NULL UNIQUE) STRICT;

        CREATE TRIGGER audit_stays BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'the log of access is never changed'); END;

        CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit
        BEGIN SELECT RAISE(ABORT, 'the log of access is never deleted'); END;

        CREATE TRIGGER audit_in_order BEFORE INSERT ON audit
        WHEN NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM audit)
        BEGIN SELECT RAISE(ABORT, 'the log of access has no gaps'); END;
        """
    )


@migrations()
def m015_looked_at(db: Database) -> None:
    """The time spent at a question whose answer stayed as it was is an event too."""
    db.executescript("ALTER TABLE draft_events ADD COLUMN same INTEGER NOT NULL DEFAULT 0;")


@migrations()
def m016_counts(db: Database) -> None:
    """The board counted beforehand, by triggers on its own rows, so that a page adds up thousands of rows and not a
    hundred thousand."""
    interview = "round, province, commune, village, enumerator, list, state, flagged, once"
    of = (
        "{0}.round, {0}.province, {0}.commune, {0}.village, {0}.enumerator, {0}.list, {0}.state, {0}.calm < 0,"
        " {0}.approvals = 1"
    )
    day = "round, day, province, commune, list, state, flagged"
    of_day = "{0}.round, {0}.day, {0}.province, {0}.commune, {0}.list, {0}.state, {0}.calm < 0"
    unit = "round, province, commune, village, assignee, list, code"
    of_unit = ", ".join(f"{{0}}.{name}" for name in unit.split(", "))
    safe = "round, held, supervisor, province_has, ministry"
    of_safe = ", ".join(f"{{0}}.{name}" for name in safe.split(", "))
    tables = {
        "count_interviews": ("board_interviews", interview, of, ""),
        "count_days": ("board_interviews", day, of_day, ""),
        "count_safe": ("board_interviews", safe, of_safe, ""),
        "count_devices": ("board_interviews", "device, round", "{0}.device, {0}.round", ""),
        "count_units": ("board_units", unit, of_unit, "WHEN {0}.counted"),
    }
    for table, (source, names, values, when) in tables.items():
        columns = ", ".join(f"{name} ANY NOT NULL" for name in names.split(", "))
        db.execute(f"CREATE TABLE {table} ({columns}, n INTEGER NOT NULL, PRIMARY KEY ({names})) STRICT, WITHOUT ROWID")
        for event, row, step in (("INSERT", "NEW", 1), ("DELETE", "OLD", -1)):
            change = (
                f"INSERT INTO {table} ({names}, n) VALUES ({values.format(row)}, {step})"
                f" ON CONFLICT DO UPDATE SET n = n + {step};"
            )
            db.execute(
                f"CREATE TRIGGER {table}_{event.lower()} AFTER {event} ON {source} {when.format(row)}"
                f" BEGIN {change} END"
            )
    db.executescript(
        f"""
        CREATE TRIGGER count_calm AFTER UPDATE OF calm ON board_interviews WHEN (OLD.calm < 0) <> (NEW.calm < 0)
        BEGIN
            INSERT INTO count_interviews ({interview}, n) VALUES ({of.format("OLD")}, -1)
            ON CONFLICT DO UPDATE SET n = n - 1;
            INSERT INTO count_interviews ({interview}, n) VALUES ({of.format("NEW")}, 1)
            ON CONFLICT DO UPDATE SET n = n + 1;
            INSERT INTO count_days ({day}, n) VALUES ({of_day.format("OLD")}, -1)
            ON CONFLICT DO UPDATE SET n = n - 1;
            INSERT INTO count_days ({day}, n) VALUES ({of_day.format("NEW")}, 1)
            ON CONFLICT DO UPDATE SET n = n + 1;
        END;

        CREATE INDEX board_interviews_village ON board_interviews (village, need, sort, time, interview);
        DROP INDEX board_interviews_count;
        DROP INDEX board_interviews_safe;
        DROP INDEX board_units_count;

        DELETE FROM board_units;
        DELETE FROM board_interviews;
        DELETE FROM count_units;
        DELETE FROM count_interviews;
        DELETE FROM count_days;
        DELETE FROM count_safe;
        DELETE FROM count_devices;
        INSERT OR IGNORE INTO stale_units (unit)
        SELECT unit FROM interviews
        UNION SELECT subject FROM documents WHERE subject_type = 'unit'
        UNION SELECT unit FROM drafts;
        """
    )


@migrations()
def m017_words(db: Database) -> None:
    """An index of the words that interviews are searched by (:mod:`survey.store.words`), in place of looking through
    all of them; what people are called, as far as it is in there."""
    made = "SELECT sql FROM sqlite_schema WHERE tbl_name = 'board_interviews' AND sql <> '' AND (type = 'table') = {}"
    ((table,),) = db.execute(made.format("TRUE")).fetchall()
    around = [sql for (sql,) in db.execute(made.format("FALSE")).fetchall()]
    key = "interview TEXT PRIMARY KEY"
    # Numbered, because the index knows interviews by a number, and SQLite's own may change.
    table = table.replace(key, "number INTEGER PRIMARY KEY, interview TEXT NOT NULL UNIQUE")
    db.execute("DROP TABLE board_interviews")
    db.execute(table)
    db.execute("ALTER TABLE board_interviews DROP COLUMN words")
    for sql in around:
        db.execute(sql)
    db.executescript(
        """
        CREATE VIRTUAL TABLE board_words USING fts5 (place, name, person, tokenize = 'ascii', detail = 'column');
        INSERT INTO board_words (board_words, rank) VALUES ('secure-delete', 1);

        CREATE TABLE board_people (person TEXT PRIMARY KEY, words TEXT NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE stale_people (person TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;

        CREATE TRIGGER stale_by_person AFTER INSERT ON documents WHEN NEW.subject_type = 'user'
        BEGIN INSERT OR IGNORE INTO stale_people (person) VALUES (NEW.subject); END;

        -- A name that was erased must not stand on in what was made for searching.
        DROP TRIGGER names_of_the_erased;
        DROP TABLE board_names;
        CREATE TRIGGER names_of_the_erased AFTER DELETE ON parts
        WHEN (SELECT subject_type FROM revisions WHERE number = OLD.revision) = 'unit'
        BEGIN
            UPDATE board_words SET name = '' WHERE rowid IN (
                SELECT b.number FROM revisions r JOIN board_interviews b ON b.unit = r.subject
                WHERE r.number = OLD.revision
            );
        END;
        CREATE TRIGGER names_of_erased_people AFTER DELETE ON parts
        WHEN (SELECT subject_type FROM revisions WHERE number = OLD.revision) = 'user'
        BEGIN
            UPDATE board_words SET person = '' WHERE rowid IN (
                SELECT b.number FROM revisions r JOIN board_interviews b ON b.enumerator = r.subject
                WHERE r.number = OLD.revision
            );
            DELETE FROM board_people WHERE person = (SELECT subject FROM revisions WHERE number = OLD.revision);
        END;

        DELETE FROM count_interviews;
        DELETE FROM count_days;
        DELETE FROM count_safe;
        DELETE FROM count_devices;
        INSERT OR IGNORE INTO stale_units SELECT unit FROM interviews UNION SELECT unit FROM drafts;
        INSERT OR IGNORE INTO stale_people SELECT subject FROM documents WHERE subject_type = 'user';
        """
    )


@migrations()
def m018_states_counted(db: Database) -> None:
    """What is found by its words is counted by state without reading the rows themselves."""
    db.executescript("CREATE INDEX board_interviews_stand ON board_interviews (state, calm < 0, approvals = 1);")


@migrations()
def m019_quality_as_it_comes(db: Database) -> None:
    """What is new to the quality checks is found from the revisions that came; only parts that came late are noted.
    What communes say can be added to, and goes with any interview of theirs that goes."""
    db.executescript(
        """
        CREATE TABLE stale_interviews (interview TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;

        CREATE TRIGGER stale_by_late_part AFTER DELETE ON missing
        BEGIN
            INSERT OR IGNORE INTO stale_interviews (interview)
            SELECT subject FROM revisions WHERE number = OLD.revision AND subject_type = 'interview';
        END;

        DROP TABLE quality_groups;
        CREATE TABLE quality_groups (
            round TEXT NOT NULL,
            questionnaire TEXT NOT NULL,
            commune TEXT NOT NULL,
            digest TEXT NOT NULL,
            content TEXT NOT NULL,
            answers BLOB NOT NULL,
            variance BLOB NOT NULL,
            compared TEXT NOT NULL,
            PRIMARY KEY (round, questionnaire, commune)
        ) STRICT;

        CREATE TRIGGER quality_of_the_gone AFTER DELETE ON quality
        BEGIN
            DELETE FROM quality_groups
            WHERE round = OLD.round AND questionnaire = OLD.questionnaire AND commune = OLD.commune;
        END;
        """
    )


@migrations()
def m020_known_people(db: Database) -> None:
    """What respondents are known by is kept so that equal ones are found without reading all of them."""
    db.executescript(
        """
        DELETE FROM quality;
        DELETE FROM meta WHERE name = 'quality_seen';
        ALTER TABLE quality_details DROP COLUMN contact;

        CREATE TABLE quality_known (
            interview TEXT NOT NULL REFERENCES quality (interview) ON DELETE CASCADE,
            path TEXT NOT NULL,
            known TEXT NOT NULL,
            PRIMARY KEY (interview, path)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX quality_known_same ON quality_known (known, path);
        """
    )

"""Steps of the schema: more of what drafts keep, invitations, keying from paper, measures of quality."""

from __future__ import annotations

from sqlite_utils import Database

from survey.store.migrations.registry import migrations


@migrations()
def m002_comments(db: Database) -> None:
    """What the enumerator notes at a question of a draft."""
    db.executescript(
        """
        CREATE TABLE draft_comments (
            interview TEXT NOT NULL REFERENCES drafts (interview) ON DELETE CASCADE,
            path TEXT NOT NULL,
            comment TEXT NOT NULL,
            PRIMARY KEY (interview, path)
        ) STRICT, WITHOUT ROWID;
        """
    )


@migrations()
def m003_dismissed(db: Database) -> None:
    """What a person has seen of what was set aside, and need not be told of again."""
    db.executescript(
        """
        CREATE TABLE dismissed (
            name TEXT NOT NULL,
            hash TEXT NOT NULL,
            reason TEXT NOT NULL,
            actor TEXT NOT NULL,
            time TEXT NOT NULL,
            PRIMARY KEY (name, hash)
        ) STRICT;
        """
    )


@migrations()
def m004_kept(db: Database) -> None:
    """Why the enumerator kept an unusual answer of a draft."""
    db.executescript(
        """
        CREATE TABLE draft_kept (
            interview TEXT NOT NULL REFERENCES drafts (interview) ON DELETE CASCADE,
            path TEXT NOT NULL,
            value TEXT NOT NULL,
            reason TEXT NOT NULL,
            PRIMARY KEY (interview, path)
        ) STRICT, WITHOUT ROWID;
        """
    )


@migrations()
def m005_invitations(db: Database) -> None:
    """Codes by which a hub lets laptops in."""
    db.executescript(
        """
        CREATE TABLE invitations (
            id TEXT PRIMARY KEY,
            key BLOB NOT NULL,
            name TEXT NOT NULL,
            people TEXT NOT NULL,
            expires TEXT NOT NULL,
            expires_at REAL NOT NULL,
            tries INTEGER NOT NULL
        ) STRICT;
        """
    )


@migrations()
def m006_keying(db: Database) -> None:
    """Forms being keyed from paper: who has which entry, and the answers of the second one, which nobody else sees."""
    db.executescript(
        """
        CREATE TABLE keying (
            interview TEXT PRIMARY KEY REFERENCES drafts (interview) ON DELETE CASCADE,
            form TEXT NOT NULL UNIQUE,
            first TEXT NOT NULL,
            first_done TEXT NOT NULL,
            second TEXT NOT NULL,
            second_done TEXT NOT NULL
        ) STRICT;

        CREATE TABLE second_answers (
            interview TEXT NOT NULL REFERENCES keying (interview) ON DELETE CASCADE,
            path TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (interview, path)
        ) STRICT, WITHOUT ROWID;
        """
    )


@migrations()
def m007_draft_files(db: Database) -> None:
    """Photographs and other files given as answers in a draft, until they are sealed with it."""
    db.executescript(
        """
        CREATE TABLE draft_files (
            interview TEXT NOT NULL REFERENCES drafts (interview) ON DELETE CASCADE,
            hash TEXT NOT NULL,
            content BLOB NOT NULL,
            PRIMARY KEY (interview, hash)
        ) STRICT;
        """
    )


@migrations()
def m008_alone(db: Database) -> None:
    """The private questions of a draft that the respondent answered alone."""
    db.executescript(
        """
        CREATE TABLE draft_alone (
            interview TEXT NOT NULL REFERENCES drafts (interview) ON DELETE CASCADE,
            path TEXT NOT NULL,
            PRIMARY KEY (interview, path)
        ) STRICT, WITHOUT ROWID;
        """
    )


@migrations()
def m009_flags(db: Database) -> None:
    """The questions of a draft that the enumerator wants to come back to."""
    db.executescript(
        """
        CREATE TABLE draft_flags (
            interview TEXT NOT NULL REFERENCES drafts (interview) ON DELETE CASCADE,
            path TEXT NOT NULL,
            PRIMARY KEY (interview, path)
        ) STRICT, WITHOUT ROWID;
        """
    )


@migrations()
def m010_quality(db: Database) -> None:
    """Measures of interviews by the content they were taken from, and the matches of each commune."""
    db.executescript(
        """
        CREATE TABLE quality (
            interview TEXT PRIMARY KEY,
            head TEXT NOT NULL,
            unit TEXT NOT NULL,
            round TEXT NOT NULL,
            questionnaire TEXT NOT NULL,
            enumerator TEXT NOT NULL,
            device TEXT NOT NULL,
            mode TEXT NOT NULL,
            commune TEXT NOT NULL,
            began REAL,
            ended REAL,
            hour REAL,
            seconds REAL,
            asked INTEGER NOT NULL,
            dont_know INTEGER NOT NULL,
            refused INTEGER NOT NULL,
            scale INTEGER NOT NULL,
            neutral INTEGER NOT NULL,
            run INTEGER NOT NULL,
            batteries INTEGER NOT NULL,
            straight INTEGER NOT NULL,
            spread REAL,
            level REAL,
            timed INTEGER NOT NULL,
            quick INTEGER NOT NULL,
            kept INTEGER NOT NULL,
            version INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX quality_place ON quality (round, questionnaire, commune);

        CREATE TABLE quality_details (
            interview TEXT PRIMARY KEY REFERENCES quality (interview) ON DELETE CASCADE,
            bits BLOB NOT NULL,
            closed BLOB NOT NULL,
            numbers TEXT NOT NULL,
            others TEXT NOT NULL,
            contact TEXT NOT NULL
        ) STRICT;

        CREATE TABLE quality_groups (
            round TEXT NOT NULL,
            questionnaire TEXT NOT NULL,
            commune TEXT NOT NULL,
            digest TEXT NOT NULL,
            content TEXT NOT NULL,
            PRIMARY KEY (round, questionnaire, commune)
        ) STRICT, WITHOUT ROWID;
        """
    )


@migrations()
def m011_erased_contact(db: Database) -> None:
    """Subjects whose contact data alone was erased: the rest of what is known of them stays."""
    db.executescript(
        """
        CREATE TABLE IF NOT EXISTS erased_contact (
            subject_type TEXT NOT NULL,
            subject TEXT NOT NULL,
            PRIMARY KEY (subject_type, subject)
        ) STRICT, WITHOUT ROWID;

        DROP TRIGGER parts_stay;
        CREATE TRIGGER parts_stay BEFORE DELETE ON parts
        WHEN NOT EXISTS (
            SELECT 1 FROM revisions r JOIN erased e ON e.subject_type = r.subject_type AND e.subject = r.subject
            WHERE r.number = OLD.revision AND r.kind <> 'erased'
        ) AND NOT (OLD.name = 'contact' AND EXISTS (
            SELECT 1 FROM revisions r
            JOIN erased_contact e ON e.subject_type = r.subject_type AND e.subject = r.subject
            WHERE r.number = OLD.revision
        ))
        BEGIN SELECT RAISE(ABORT, 'only an erased subject loses its parts'); END;

        CREATE TRIGGER IF NOT EXISTS contact_of_the_erased_stays_away BEFORE INSERT ON parts
        WHEN NEW.name = 'contact' AND EXISTS (
            SELECT 1 FROM revisions r
            JOIN erased_contact e ON e.subject_type = r.subject_type AND e.subject = r.subject
            WHERE r.number = NEW.revision
        )
        BEGIN SELECT RAISE(ABORT, 'the contact data of the subject was erased'); END;
        """
    )

"""The schema of the first release."""

from __future__ import annotations

from sqlite_utils import Database

from survey.store.migrations.registry import migrations


@migrations()
def m001_initial(db: Database) -> None:
    """Everything of the first release."""
    db.executescript(
        """
        CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

        -- Evidence ---------------------------------------------------------------------------------------------

        CREATE TABLE device_keys (device TEXT PRIMARY KEY, public_key BLOB NOT NULL) STRICT;

        CREATE TABLE feeds (
            number INTEGER PRIMARY KEY,
            device TEXT NOT NULL,
            epoch TEXT NOT NULL,
            UNIQUE (device, epoch)
        ) STRICT;

        CREATE TABLE revisions (
            number INTEGER PRIMARY KEY,
            id BLOB NOT NULL UNIQUE CHECK (length(id) = 32),
            header BLOB NOT NULL,
            signature BLOB NOT NULL,
            feed INTEGER NOT NULL REFERENCES feeds (number),
            seq INTEGER NOT NULL CHECK (seq >= 1),
            subject_type TEXT NOT NULL,
            subject TEXT NOT NULL,
            kind TEXT NOT NULL
        ) STRICT;
        -- Not unique: two valid entries with one number are a fork, and both are kept.
        CREATE INDEX revisions_feed ON revisions (feed, seq);
        CREATE INDEX revisions_subject ON revisions (subject, subject_type);

        CREATE TABLE parts (
            number INTEGER PRIMARY KEY,
            revision INTEGER NOT NULL REFERENCES revisions (number),
            name TEXT NOT NULL,
            salt BLOB NOT NULL CHECK (length(salt) = 32),
            content BLOB NOT NULL,
            UNIQUE (revision, name)
        ) STRICT;

        CREATE TABLE receipts (
            hash TEXT PRIMARY KEY,
            hub TEXT NOT NULL,
            tier TEXT NOT NULL,
            content BLOB NOT NULL
        ) STRICT;

        CREATE TABLE receipted (
            revision INTEGER NOT NULL REFERENCES revisions (number),
            hub TEXT NOT NULL,
            tier TEXT NOT NULL,
            PRIMARY KEY (revision, hub)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE quarantine (
            name TEXT NOT NULL,
            hash TEXT NOT NULL,
            reason_vi TEXT NOT NULL,
            reason_en TEXT NOT NULL,
            source TEXT NOT NULL,
            content BLOB NOT NULL,
            PRIMARY KEY (name, hash)
        ) STRICT;

        -- A bundle read to its end with nothing set aside need never be unpacked again.
        CREATE TABLE bundles (hash TEXT PRIMARY KEY, revisions INTEGER NOT NULL) STRICT;

        -- Derived ----------------------------------------------------------------------------------------------

        CREATE TABLE interviews (
            interview TEXT PRIMARY KEY,
            unit TEXT NOT NULL,
            questionnaire_hash TEXT NOT NULL,
            state TEXT NOT NULL,
            head TEXT NOT NULL,
            heads TEXT NOT NULL,
            kind TEXT NOT NULL,
            decisions TEXT NOT NULL,
            opposed INTEGER NOT NULL,
            actor TEXT NOT NULL,
            device TEXT NOT NULL,
            time TEXT NOT NULL,
            unknown_parents TEXT NOT NULL
        ) STRICT;
        CREATE INDEX interviews_unit ON interviews (unit);
        CREATE INDEX interviews_state ON interviews (state);

        CREATE TABLE documents (
            subject_type TEXT NOT NULL,
            subject TEXT NOT NULL,
            state TEXT NOT NULL,
            head TEXT NOT NULL,
            heads TEXT NOT NULL,
            round TEXT NOT NULL,
            unit TEXT NOT NULL,
            assignee TEXT NOT NULL,
            PRIMARY KEY (subject_type, subject)
        ) STRICT;
        CREATE INDEX documents_round ON documents (round, subject_type);
        CREATE INDEX documents_unit ON documents (unit, subject_type);

        CREATE TABLE feed_state (
            feed INTEGER PRIMARY KEY REFERENCES feeds (number),
            revisions INTEGER NOT NULL,
            held TEXT NOT NULL,
            forked TEXT NOT NULL,
            head TEXT NOT NULL
        ) STRICT;

        CREATE TABLE erased (
            subject_type TEXT NOT NULL,
            subject TEXT NOT NULL,
            PRIMARY KEY (subject_type, subject)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE missing (
            revision INTEGER NOT NULL REFERENCES revisions (number),
            name TEXT NOT NULL,
            PRIMARY KEY (revision, name)
        ) STRICT, WITHOUT ROWID;

        -- This device alone --------------------------------------------------------------------------------------

        CREATE TABLE drafts (
            interview TEXT PRIMARY KEY,
            unit TEXT NOT NULL,
            questionnaire_hash TEXT NOT NULL,
            actor TEXT NOT NULL,
            started TEXT NOT NULL,
            parents TEXT NOT NULL,
            lease TEXT NOT NULL,
            changes INTEGER NOT NULL,
            changes_written INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE draft_answers (
            interview TEXT NOT NULL REFERENCES drafts (interview) ON DELETE CASCADE,
            path TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (interview, path)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE draft_events (
            number INTEGER PRIMARY KEY,
            interview TEXT NOT NULL REFERENCES drafts (interview) ON DELETE CASCADE,
            path TEXT NOT NULL,
            cleared INTEGER NOT NULL,
            time TEXT NOT NULL,
            monotonic_ms INTEGER NOT NULL,
            seconds REAL NOT NULL
        ) STRICT;
        CREATE INDEX draft_events_interview ON draft_events (interview);

        CREATE TABLE frame (
            round TEXT NOT NULL,
            number INTEGER NOT NULL,
            row TEXT NOT NULL,
            contact TEXT NOT NULL,
            PRIMARY KEY (round, number)
        ) STRICT;

        CREATE TABLE sign_ins (
            user TEXT PRIMARY KEY,
            failures INTEGER NOT NULL,
            last TEXT NOT NULL,
            was_here INTEGER NOT NULL
        ) STRICT;

        -- What must not change ------------------------------------------------------------------------------------

        -- The signature alone may be replaced, by a good copy of one that was damaged on its way.
        CREATE TRIGGER revisions_never_change
        BEFORE UPDATE OF number, id, header, feed, seq, subject_type, subject, kind ON revisions
        BEGIN SELECT RAISE(ABORT, 'a revision never changes'); END;

        CREATE TRIGGER revisions_stay BEFORE DELETE ON revisions
        BEGIN SELECT RAISE(ABORT, 'a revision is never deleted'); END;

        CREATE TRIGGER parts_never_change BEFORE UPDATE ON parts
        BEGIN SELECT RAISE(ABORT, 'a part never changes'); END;

        CREATE TRIGGER parts_stay BEFORE DELETE ON parts
        WHEN NOT EXISTS (
            SELECT 1 FROM revisions r JOIN erased e ON e.subject_type = r.subject_type AND e.subject = r.subject
            WHERE r.number = OLD.revision AND r.kind <> 'erased'
        )
        BEGIN SELECT RAISE(ABORT, 'only an erased subject loses its parts'); END;

        CREATE TRIGGER parts_of_the_erased_stay_away BEFORE INSERT ON parts
        WHEN EXISTS (
            SELECT 1 FROM revisions r JOIN erased e ON e.subject_type = r.subject_type AND e.subject = r.subject
            WHERE r.number = NEW.revision AND r.kind <> 'erased'
        )
        BEGIN SELECT RAISE(ABORT, 'the subject was erased'); END;

        CREATE TRIGGER feeds_never_change BEFORE UPDATE ON feeds
        BEGIN SELECT RAISE(ABORT, 'a feed never changes its name'); END;

        CREATE TRIGGER feeds_stay BEFORE DELETE ON feeds
        BEGIN SELECT RAISE(ABORT, 'a feed is never deleted'); END;
        """
    )

-- Identities. Times are nanoseconds since the Unix epoch, expiries whole seconds, sets and lists are text with commas.

CREATE TABLE tenants (
    id                TEXT    PRIMARY KEY NOT NULL,
    state             TEXT    NOT NULL,
    max_pat_lifetime  INTEGER,            -- seconds
    tokens_not_before INTEGER,
    created           INTEGER NOT NULL
) STRICT;

-- Deleted accounts stay, so that their tokens and the audit trail keep their names; their user names are free again.
CREATE TABLE accounts (
    id                INTEGER PRIMARY KEY NOT NULL,
    tenant            TEXT    NOT NULL REFERENCES tenants (id),
    kind              TEXT    NOT NULL,
    username          TEXT    NOT NULL,
    username_norm     TEXT    NOT NULL,   -- lower case
    name              TEXT    NOT NULL,
    description       TEXT    NOT NULL,
    roles             TEXT    NOT NULL,
    state             TEXT    NOT NULL,   -- active, disabled, deleted
    password          TEXT,               -- PHC string
    expires           INTEGER NOT NULL,
    tokens_not_before INTEGER,
    created           INTEGER NOT NULL,
    updated           INTEGER NOT NULL,
    version           INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX accounts_by_username ON accounts (tenant, username_norm) WHERE state <> 'deleted';
CREATE INDEX accounts_by_login ON accounts (username_norm) WHERE kind = 'person' AND state <> 'deleted';

CREATE TABLE pats (
    id                INTEGER PRIMARY KEY NOT NULL,
    account           INTEGER NOT NULL REFERENCES accounts (id),
    tenant            TEXT    NOT NULL REFERENCES tenants (id),
    name              TEXT    NOT NULL,
    description       TEXT    NOT NULL,
    scopes            TEXT    NOT NULL,
    networks          TEXT    NOT NULL,
    hint              TEXT    NOT NULL,
    digest            BLOB    NOT NULL,
    pepper            INTEGER NOT NULL,   -- which of the pepper's keys
    created           INTEGER NOT NULL,
    created_by        INTEGER,            -- an account; the local operator where empty
    expires           INTEGER NOT NULL,
    revoked           INTEGER,
    last_used         INTEGER,
    last_used_from    TEXT
) STRICT;

CREATE UNIQUE INDEX pats_by_digest ON pats (digest);
CREATE UNIQUE INDEX pats_by_name ON pats (account, name) WHERE revoked IS NULL;
CREATE INDEX pats_by_account ON pats (account, created);

-- Never shrinks below its greatest number (AUTOINCREMENT), so a reader's place in it stays good.
CREATE TABLE revocations (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    at      INTEGER NOT NULL,
    tenant  TEXT    NOT NULL,
    account INTEGER,                      -- whose credentials: an account's,
    pat     INTEGER,                      -- one token,
    change  TEXT    NOT NULL,             -- or, with neither, all of the tenant
    roles   TEXT
) STRICT;

CREATE TABLE marks (
    name  TEXT    PRIMARY KEY NOT NULL,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The audit trail, each event with the hash of the one before. Append-only.
CREATE TABLE audit (
    seq      INTEGER PRIMARY KEY NOT NULL,
    body     TEXT    NOT NULL,
    previous BLOB    NOT NULL,
    hash     BLOB    NOT NULL
) STRICT;

CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit trail is append-only');
END;

CREATE TRIGGER audit_is_not_cut BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit trail is append-only');
END;

-- Identities. Times are nanoseconds since the Unix epoch, expiries whole seconds, sets and lists are text with commas.
-- Text is compared by its bytes (COLLATE "C"), whatever the language of the server.

CREATE TABLE tenants (
    id                TEXT    COLLATE "C" PRIMARY KEY,
    state             TEXT    COLLATE "C" NOT NULL,
    max_pat_lifetime  BIGINT,             -- seconds
    tokens_not_before BIGINT,
    created           BIGINT  NOT NULL
);

-- Deleted accounts stay, so that their tokens and the audit trail keep their names; their user names are free again.
CREATE TABLE accounts (
    id                BIGINT  PRIMARY KEY,
    tenant            TEXT    COLLATE "C" NOT NULL REFERENCES tenants (id),
    kind              TEXT    COLLATE "C" NOT NULL,
    username          TEXT    COLLATE "C" NOT NULL,
    username_norm     TEXT    COLLATE "C" NOT NULL,   -- lower case
    name              TEXT    COLLATE "C" NOT NULL,
    description       TEXT    COLLATE "C" NOT NULL,
    roles             TEXT    COLLATE "C" NOT NULL,
    state             TEXT    COLLATE "C" NOT NULL,   -- active, disabled, deleted
    password          TEXT    COLLATE "C",            -- PHC string
    expires           BIGINT  NOT NULL,
    tokens_not_before BIGINT,
    created           BIGINT  NOT NULL,
    updated           BIGINT  NOT NULL,
    version           BIGINT  NOT NULL
);

CREATE UNIQUE INDEX accounts_by_username ON accounts (tenant, username_norm) WHERE state <> 'deleted';
CREATE INDEX accounts_by_login ON accounts (username_norm) WHERE kind = 'person' AND state <> 'deleted';

CREATE TABLE pats (
    id                BIGINT  PRIMARY KEY,
    account           BIGINT  NOT NULL REFERENCES accounts (id),
    tenant            TEXT    COLLATE "C" NOT NULL REFERENCES tenants (id),
    name              TEXT    COLLATE "C" NOT NULL,
    description       TEXT    COLLATE "C" NOT NULL,
    scopes            TEXT    COLLATE "C" NOT NULL,
    networks          TEXT    COLLATE "C" NOT NULL,
    hint              TEXT    COLLATE "C" NOT NULL,
    digest            BYTEA   NOT NULL,
    pepper            BIGINT  NOT NULL,   -- which of the pepper's keys
    created           BIGINT  NOT NULL,
    created_by        BIGINT,             -- an account; the local operator where empty
    expires           BIGINT  NOT NULL,
    revoked           BIGINT,
    last_used         BIGINT,
    last_used_from    TEXT    COLLATE "C"
);

CREATE UNIQUE INDEX pats_by_digest ON pats (digest);
CREATE UNIQUE INDEX pats_by_name ON pats (account, name) WHERE revoked IS NULL;
CREATE INDEX pats_by_account ON pats (account, created);

-- Numbers are given out under the writers' lock, so they become visible in their order. A gap is a change that failed.
CREATE TABLE revocations (
    seq     BIGINT  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      BIGINT  NOT NULL,
    tenant  TEXT    COLLATE "C" NOT NULL,
    account BIGINT,                       -- whose credentials: an account's,
    pat     BIGINT,                       -- one token,
    change  TEXT    COLLATE "C" NOT NULL, -- or, with neither, all of the tenant
    roles   TEXT    COLLATE "C"
);

CREATE TABLE marks (
    name  TEXT    COLLATE "C" PRIMARY KEY,
    value BIGINT  NOT NULL
);

-- The audit trail, each event with the hash of the one before. Append-only.
CREATE TABLE audit (
    seq      BIGINT PRIMARY KEY,
    body     TEXT   COLLATE "C" NOT NULL,
    previous BYTEA  NOT NULL,
    hash     BYTEA  NOT NULL
);

CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail is append-only';
END
$$;

CREATE TRIGGER audit_is_not_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();

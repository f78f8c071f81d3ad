-- Bounds on tokens, and what is known of their use and their end.

ALTER TABLE tenants ADD COLUMN max_pats INTEGER;                    -- active tokens; empty is without limit
ALTER TABLE tenants ADD COLUMN max_account_pats INTEGER;            -- the same for each account
ALTER TABLE accounts ADD COLUMN networks TEXT NOT NULL DEFAULT '';

-- The greatest threshold of days for which no warning is due any more; 0 once the end itself was told.
ALTER TABLE pats ADD COLUMN warned INTEGER;

CREATE INDEX pats_by_expiry ON pats (expires);
CREATE INDEX pats_by_tenant ON pats (tenant);

-- The bounds of an account or a tenant since.
ALTER TABLE revocations ADD COLUMN max_lifetime INTEGER;
ALTER TABLE revocations ADD COLUMN not_before INTEGER;
ALTER TABLE revocations ADD COLUMN networks TEXT;

-- The newest few uses of each token.
CREATE TABLE pat_uses (
    pat       INTEGER NOT NULL REFERENCES pats (id) ON DELETE CASCADE,
    address   TEXT    NOT NULL,
    protocol  TEXT    NOT NULL,
    client    TEXT    NOT NULL,
    at        INTEGER NOT NULL,
    PRIMARY KEY (pat, address, protocol, client)
) STRICT;

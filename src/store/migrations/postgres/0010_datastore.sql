-- Configuration: one row for each entry of the YANG model's lists. Times are nanoseconds since the Unix epoch.
-- Text is compared by its bytes (COLLATE "C"), whatever the language of the server.

CREATE TABLE entries (
    tenant     TEXT COLLATE "C"    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    collection TEXT COLLATE "C"    NOT NULL,
    key        TEXT COLLATE "C"    NOT NULL,   -- as it stands in a URL
    body       TEXT COLLATE "C"    NOT NULL,   -- JSON, configuration
    state      TEXT COLLATE "C",   -- JSON, state
    revision   BIGINT  NOT NULL,
    modified   BIGINT  NOT NULL,
    PRIMARY KEY (tenant, collection, key)
);

-- Which entry refers to which.
CREATE TABLE entry_references (
    tenant        TEXT COLLATE "C" NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    collection    TEXT COLLATE "C" NOT NULL,
    key           TEXT COLLATE "C" NOT NULL,
    path          TEXT COLLATE "C" NOT NULL,   -- where the reference stands
    to_collection TEXT COLLATE "C" NOT NULL,
    to_key        TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, collection, key, path)
);
CREATE INDEX entry_referrers ON entry_references (tenant, to_collection, to_key);

-- Values that only one entry of a collection may have.
CREATE TABLE entry_uniques (
    tenant     TEXT COLLATE "C" NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    collection TEXT COLLATE "C" NOT NULL,
    leaves     TEXT COLLATE "C" NOT NULL,
    value      TEXT COLLATE "C" NOT NULL,
    key        TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, collection, leaves, value)
);
CREATE INDEX entry_unique_owners ON entry_uniques (tenant, collection, key);

-- When a collection, or with an empty name the datastore, was last changed. Revisions count a tenant's edits.
CREATE TABLE entry_marks (
    tenant     TEXT COLLATE "C"    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    collection TEXT COLLATE "C"    NOT NULL,
    revision   BIGINT  NOT NULL,
    modified   BIGINT  NOT NULL,
    PRIMARY KEY (tenant, collection)
);

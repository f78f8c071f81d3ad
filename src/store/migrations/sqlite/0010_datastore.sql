-- Configuration: one row for each entry of the YANG model's lists. Times are nanoseconds since the Unix epoch.

CREATE TABLE entries (
    tenant     TEXT    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    collection TEXT    NOT NULL,
    key        TEXT    NOT NULL,   -- as it stands in a URL
    body       TEXT    NOT NULL,   -- JSON, configuration
    state      TEXT,               -- JSON, state
    revision   INTEGER NOT NULL,
    modified   INTEGER NOT NULL,
    PRIMARY KEY (tenant, collection, key)
);

-- Which entry refers to which.
CREATE TABLE entry_references (
    tenant        TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    collection    TEXT NOT NULL,
    key           TEXT NOT NULL,
    path          TEXT NOT NULL,   -- where the reference stands
    to_collection TEXT NOT NULL,
    to_key        TEXT NOT NULL,
    PRIMARY KEY (tenant, collection, key, path)
);
CREATE INDEX entry_referrers ON entry_references (tenant, to_collection, to_key);

-- Values that only one entry of a collection may have.
CREATE TABLE entry_uniques (
    tenant     TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    collection TEXT NOT NULL,
    leaves     TEXT NOT NULL,
    value      TEXT NOT NULL,
    key        TEXT NOT NULL,
    PRIMARY KEY (tenant, collection, leaves, value)
);
CREATE INDEX entry_unique_owners ON entry_uniques (tenant, collection, key);

-- When a collection, or with an empty name the datastore, was last changed. Revisions count a tenant's edits.
CREATE TABLE entry_marks (
    tenant     TEXT    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    collection TEXT    NOT NULL,
    revision   INTEGER NOT NULL,
    modified   INTEGER NOT NULL,
    PRIMARY KEY (tenant, collection)
);

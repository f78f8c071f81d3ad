-- The latest changes of entries, in their order, for those who keep a copy. Times are nanoseconds since the Unix epoch.

CREATE TABLE entry_changes (
    tenant     TEXT    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    serial     INTEGER NOT NULL,   -- without gaps
    at         INTEGER NOT NULL,
    collection TEXT    NOT NULL,
    key        TEXT    NOT NULL,   -- as it stands in a URL
    PRIMARY KEY (tenant, serial)
);

-- The latest notifications of each tenant, for those who come late. Times are nanoseconds since the Unix epoch.

CREATE TABLE notices (
    tenant     TEXT    NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    id         INTEGER NOT NULL,   -- grows; not before its time
    at         INTEGER NOT NULL,
    kind       TEXT    NOT NULL,   -- module:notification
    grouped_by TEXT,               -- the group of what it is about
    content    TEXT    NOT NULL,   -- JSON
    PRIMARY KEY (tenant, id)
);

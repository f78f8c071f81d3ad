-- The latest notifications of each tenant, for those who come late. Times are nanoseconds since the Unix epoch.
-- Text is compared by its bytes (COLLATE "C"), whatever the language of the server.

CREATE TABLE notices (
    tenant     TEXT COLLATE "C" NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    id         BIGINT           NOT NULL,   -- grows; not before its time
    at         BIGINT           NOT NULL,
    kind       TEXT COLLATE "C" NOT NULL,   -- module:notification
    grouped_by TEXT COLLATE "C",            -- the group of what it is about
    content    TEXT COLLATE "C" NOT NULL,   -- JSON
    PRIMARY KEY (tenant, id)
);

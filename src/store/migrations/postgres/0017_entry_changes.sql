-- The latest changes of entries, in their order, for those who keep a copy. Times are nanoseconds since the Unix epoch.
-- Text is compared by its bytes (COLLATE "C"), whatever the language of the server.

CREATE TABLE entry_changes (
    tenant     TEXT COLLATE "C" NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    serial     BIGINT           NOT NULL,   -- without gaps
    at         BIGINT           NOT NULL,
    collection TEXT COLLATE "C" NOT NULL,
    key        TEXT COLLATE "C" NOT NULL,   -- as it stands in a URL
    PRIMARY KEY (tenant, serial)
);

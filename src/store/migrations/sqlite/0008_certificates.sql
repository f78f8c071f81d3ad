-- Issued certificates. Serial numbers and issuers are lower-case hexadecimal; times are nanoseconds.
CREATE TABLE certificates (
    serial     TEXT    PRIMARY KEY NOT NULL,
    issuer     TEXT    NOT NULL,          -- the issuer's key identifier
    tenant     TEXT    NOT NULL,
    account    INTEGER NOT NULL,
    username   TEXT    NOT NULL,
    roles      TEXT    NOT NULL,
    token      INTEGER,                   -- asked for with it; nothing after a login with a password
    requester  INTEGER NOT NULL,          -- the account that asked
    renews     TEXT,                      -- the certificate before
    request    BLOB    NOT NULL,          -- SHA-256 of everything that was asked for
    csr        BLOB    NOT NULL,          -- SHA-256
    key        BLOB    NOT NULL,          -- SHA-256 of the SubjectPublicKeyInfo
    not_before INTEGER NOT NULL,
    not_after  INTEGER NOT NULL,
    issued     INTEGER NOT NULL,
    revoked    INTEGER,
    reason     TEXT,                      -- RFC 5280 5.3.1
    der        BLOB    NOT NULL
) STRICT;

CREATE INDEX certificates_by_account ON certificates (account, issued);
CREATE INDEX certificates_by_token ON certificates (token) WHERE token IS NOT NULL;
CREATE INDEX certificates_by_key ON certificates (key);
CREATE INDEX certificates_by_request ON certificates (request, issued);
CREATE INDEX certificates_by_issue ON certificates (tenant, issued);
CREATE INDEX certificates_revoked ON certificates (not_after) WHERE revoked IS NOT NULL;

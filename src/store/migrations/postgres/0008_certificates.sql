-- Issued certificates. Serial numbers and issuers are lower-case hexadecimal; times are nanoseconds.
CREATE TABLE certificates (
    serial     TEXT    PRIMARY KEY NOT NULL,
    issuer     TEXT    NOT NULL,          -- the issuer's key identifier
    tenant     TEXT    NOT NULL,
    account    BIGINT NOT NULL,
    username   TEXT    NOT NULL,
    roles      TEXT    NOT NULL,
    token      BIGINT,                   -- asked for with it; nothing after a login with a password
    requester  BIGINT NOT NULL,          -- the account that asked
    renews     TEXT,                      -- the certificate before
    request    BYTEA   NOT NULL,          -- SHA-256 of everything that was asked for
    csr        BYTEA   NOT NULL,          -- SHA-256
    key        BYTEA   NOT NULL,          -- SHA-256 of the SubjectPublicKeyInfo
    not_before BIGINT NOT NULL,
    not_after  BIGINT NOT NULL,
    issued     BIGINT NOT NULL,
    revoked    BIGINT,
    reason     TEXT,                      -- RFC 5280 5.3.1
    der        BYTEA   NOT NULL
);

CREATE INDEX certificates_by_account ON certificates (account, issued);
CREATE INDEX certificates_by_token ON certificates (token) WHERE token IS NOT NULL;
CREATE INDEX certificates_by_key ON certificates (key);
CREATE INDEX certificates_by_request ON certificates (request, issued);
CREATE INDEX certificates_by_issue ON certificates (tenant, issued);
CREATE INDEX certificates_revoked ON certificates (not_after) WHERE revoked IS NOT NULL;

-- How far each outlet of the audit trail has come, and which gateway serves it until when.
CREATE TABLE audit_outlets (
    name   TEXT    COLLATE "C" PRIMARY KEY,
    seq    BIGINT  NOT NULL,
    holder BIGINT  NOT NULL,
    until  BIGINT  NOT NULL
);

-- How far each outlet of the audit trail has come, and which gateway serves it until when.
CREATE TABLE audit_outlets (
    name   TEXT    PRIMARY KEY NOT NULL,
    seq    INTEGER NOT NULL,
    holder INTEGER NOT NULL,
    until  INTEGER NOT NULL
) STRICT;

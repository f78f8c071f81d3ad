-- By what events are found: one row for each tenant that may read of an event, and one with an empty scope.
CREATE TABLE audit_index (
    seq     INTEGER NOT NULL,
    scope   TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    kind    TEXT    NOT NULL,
    actor   TEXT,                         -- the id of the account that did it
    account TEXT,                         -- the id of the account that it is about
    PRIMARY KEY (scope, seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX audit_index_by_seq ON audit_index (seq);

INSERT INTO audit_index (seq, scope, at, kind, actor, account)
SELECT seq, '', unixepoch(body ->> 'at') * 1000000000, body ->> 'event', body ->> 'actorId',
       CASE body ->> 'subject' WHEN 'account' THEN body ->> 'subjectId' END
FROM audit;

INSERT INTO audit_index (seq, scope, at, kind, actor, account)
SELECT i.seq, a.body ->> 'tenant', i.at, i.kind, i.actor, i.account
FROM audit_index i JOIN audit a ON a.seq = i.seq
WHERE i.scope = '' AND a.body ->> 'tenant' IS NOT NULL;

INSERT INTO audit_index (seq, scope, at, kind, actor, account)
SELECT i.seq, a.body ->> 'actorTenant', i.at, i.kind, i.actor, i.account
FROM audit_index i JOIN audit a ON a.seq = i.seq
WHERE i.scope = '' AND a.body ->> 'actorTenant' IS NOT NULL
ON CONFLICT DO NOTHING;

-- Where the chain begins, once the retention has removed its oldest part. At most one row.
CREATE TABLE audit_beginning (
    id   INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
    seq  INTEGER NOT NULL,
    hash BLOB    NOT NULL
) STRICT;

DROP TRIGGER audit_is_not_cut;

CREATE TRIGGER audit_is_not_cut BEFORE DELETE ON audit
WHEN OLD.seq > (SELECT coalesce(max(seq), 0) FROM audit_beginning)
BEGIN
    SELECT RAISE(ABORT, 'the audit trail is append-only');
END;

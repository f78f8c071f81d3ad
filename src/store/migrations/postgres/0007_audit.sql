-- By what events are found: one row for each tenant that may read of an event, and one with an empty scope.
CREATE TABLE audit_index (
    seq     BIGINT  NOT NULL,
    scope   TEXT    COLLATE "C" NOT NULL,
    at      BIGINT  NOT NULL,
    kind    TEXT    COLLATE "C" NOT NULL,
    actor   TEXT    COLLATE "C",          -- the id of the account that did it
    account TEXT    COLLATE "C",          -- the id of the account that it is about
    PRIMARY KEY (scope, seq)
);

CREATE INDEX audit_index_by_seq ON audit_index (seq);

INSERT INTO audit_index (seq, scope, at, kind, actor, account)
SELECT seq, '', (extract(epoch FROM (body::json ->> 'at')::timestamptz) * 1000000000)::bigint,
       body::json ->> 'event', body::json ->> 'actorId',
       CASE body::json ->> 'subject' WHEN 'account' THEN body::json ->> 'subjectId' END
FROM audit;

INSERT INTO audit_index (seq, scope, at, kind, actor, account)
SELECT i.seq, a.body::json ->> 'tenant', i.at, i.kind, i.actor, i.account
FROM audit_index i JOIN audit a ON a.seq = i.seq
WHERE i.scope = '' AND a.body::json ->> 'tenant' IS NOT NULL;

INSERT INTO audit_index (seq, scope, at, kind, actor, account)
SELECT i.seq, a.body::json ->> 'actorTenant', i.at, i.kind, i.actor, i.account
FROM audit_index i JOIN audit a ON a.seq = i.seq
WHERE i.scope = '' AND a.body::json ->> 'actorTenant' IS NOT NULL
ON CONFLICT DO NOTHING;

-- Where the chain begins, once the retention has removed its oldest part. At most one row.
CREATE TABLE audit_beginning (
    id   BIGINT PRIMARY KEY CHECK (id = 1),
    seq  BIGINT NOT NULL,
    hash BYTEA  NOT NULL
);

DROP TRIGGER audit_is_not_changed ON audit;

CREATE TRIGGER audit_is_not_changed BEFORE UPDATE OR TRUNCATE ON audit
FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();

CREATE FUNCTION audit_is_cut_at_its_beginning() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.seq > (SELECT coalesce(max(seq), 0) FROM audit_beginning) THEN
        RAISE EXCEPTION 'the audit trail is append-only';
    END IF;
    RETURN OLD;
END
$$;

CREATE TRIGGER audit_is_not_cut BEFORE DELETE ON audit
FOR EACH ROW EXECUTE FUNCTION audit_is_cut_at_its_beginning();

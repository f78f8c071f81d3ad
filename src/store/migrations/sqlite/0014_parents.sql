-- The token by which each token was issued, where it is revoked along with that one.
ALTER TABLE pats ADD COLUMN parent INTEGER;

CREATE INDEX pats_by_parent ON pats (parent) WHERE parent IS NOT NULL;

-- 1: the password lets its holder set another, and nothing else.
ALTER TABLE accounts ADD COLUMN password_provisional BIGINT NOT NULL DEFAULT 0;

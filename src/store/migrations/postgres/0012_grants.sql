-- Roles that are taken from an account until they are given back. While there are any, its other column of roles is empty.
ALTER TABLE accounts ADD COLUMN suspended TEXT COLLATE "C" NOT NULL DEFAULT '';

-- By what the keys of the pepper are known, of which the store has nothing else.
CREATE TABLE peppers (
    key   BIGINT PRIMARY KEY,
    proof BYTEA  NOT NULL
);

-- By what the keys of the pepper are known, of which the store has nothing else.
CREATE TABLE peppers (
    key   INTEGER PRIMARY KEY NOT NULL,
    proof BLOB    NOT NULL
) STRICT;

-- From where each token was used: what tells the first use, and a use from another place. Full, it takes no more.
CREATE TABLE pat_addresses (
    pat     BIGINT  NOT NULL REFERENCES pats (id) ON DELETE CASCADE,
    address TEXT    COLLATE "C" NOT NULL,
    PRIMARY KEY (pat, address)
);

INSERT INTO pat_addresses (pat, address)
SELECT id, last_used_from FROM pats WHERE last_used_from IS NOT NULL;

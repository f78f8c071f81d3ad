-- Short-lived bearer tokens of people who have logged in stand beside the tokens that they issue.
ALTER TABLE pats ADD COLUMN kind TEXT NOT NULL DEFAULT 'pat';   -- pat, session

-- The new end of a token that was rotated.
ALTER TABLE revocations ADD COLUMN expires INTEGER;

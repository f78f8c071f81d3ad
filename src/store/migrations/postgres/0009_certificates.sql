-- One certificate of our own authority: its serial number in lower-case hexadecimal.
ALTER TABLE revocations ADD COLUMN certificate TEXT;

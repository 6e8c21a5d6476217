-- What became of an answer, noted in the transaction that did it: an answer that comes again does
-- nothing more, and can be told the same.

-- +goose Up
ALTER TABLE replies ADD outcome jsonb; -- NULL: a release that didn't note it did the answer

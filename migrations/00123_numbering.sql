-- The number after which new incidents are numbered, where those of a time that is not known any more are to be left out.
-- The release before goes on from the latest incident.

-- +goose Up
CREATE TABLE numbering (
    one   boolean PRIMARY KEY DEFAULT true CHECK (one),
    after bigint  NOT NULL DEFAULT 0
);
INSERT INTO numbering DEFAULT VALUES;

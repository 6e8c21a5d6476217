-- What was paged before somebody acknowledged, snoozed, handed over or resolved is over, also when
-- the incident pages again.

-- +goose Up
ALTER TABLE incidents ADD pages_from bigint NOT NULL DEFAULT 0; -- pages of an earlier seq are over

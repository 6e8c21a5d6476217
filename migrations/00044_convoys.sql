-- Pages of one decision to one recipient share a job.

-- +goose Up

ALTER TABLE pages ADD convoy bigint NOT NULL DEFAULT 0; -- whose job looks after it, until it has one of its own; 0: it has one
CREATE INDEX pages_convoy ON pages (convoy) WHERE convoy <> 0 AND state = 'waiting';

CREATE SEQUENCE convoys;

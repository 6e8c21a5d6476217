-- What is held back from a recipient waits behind one job.

-- +goose Up

ALTER TABLE reaches ADD convoy       bigint NOT NULL DEFAULT 0; -- what is held joins it; 0: there is none
ALTER TABLE reaches ADD convoy_until timestamptz;               -- when its job looks again

-- Pages that wait are looked for every minute; most pages don't wait any more.

-- +goose Up
CREATE INDEX pages_lost ON pages (incident_id) WHERE state = 'waiting' AND bundle = 0;

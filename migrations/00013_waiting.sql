-- Waiting pages are looked for every minute; most pages no longer wait.

-- +goose Up
CREATE INDEX pages_lost ON pages (incident_id) WHERE state = 'waiting' AND bundle = 0;

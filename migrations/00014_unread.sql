-- What was written and never read.

-- +goose Up
ALTER TABLE checks DROP team_id;
ALTER TABLE slack_groups DROP seen_at;

-- Where a team's schedules are kept: in the set-up file, which has made all teams so far, or in Slack.

-- +goose Up
ALTER TABLE teams ADD COLUMN owner text NOT NULL DEFAULT 'file';

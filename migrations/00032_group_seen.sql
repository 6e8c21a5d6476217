-- +goose Up

-- When Slack last said who is in a user group, to the hour; null: before this was kept.
ALTER TABLE slack_groups ADD COLUMN seen_at timestamptz;

-- Updates of an incident for others than those who work on it, and the channels that a team chose for them. The release before
-- leaves both alone.

-- +goose Up
ALTER TABLE teams ADD COLUMN updates text[] NOT NULL DEFAULT '{}';  -- Slack channels
ALTER TABLE incidents ADD COLUMN updates int NOT NULL DEFAULT 0;    -- how many were posted

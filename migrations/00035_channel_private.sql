-- +goose Up

-- Whether Slack last said that a channel is private; false also while that is not known.
ALTER TABLE slack_channels ADD COLUMN private boolean NOT NULL DEFAULT false;

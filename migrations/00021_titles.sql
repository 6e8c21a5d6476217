-- +goose Up

-- When the timeline last had a line about an alert's new title.
ALTER TABLE incidents ADD COLUMN retitled_at timestamptz;

-- All that a monitor sends with an alert, so that whoever is paged can read it.

-- +goose Up
ALTER TABLE alerts ADD links   jsonb NOT NULL DEFAULT '[]'; -- of oncall.Link
ALTER TABLE alerts ADD details jsonb NOT NULL DEFAULT '{}'; -- texts by their names, beside title, body and labels

-- +goose Up

-- The fields of an alert's signals that were not understood, of which its timeline has a line.
ALTER TABLE alerts ADD COLUMN misread text[] NOT NULL DEFAULT '{}';

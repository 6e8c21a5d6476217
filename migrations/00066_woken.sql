-- When the last snooze of an incident has ended: what goes by age counts from then on.

-- +goose Up
ALTER TABLE incidents ADD woken_at timestamptz;

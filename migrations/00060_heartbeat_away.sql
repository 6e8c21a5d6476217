-- The latest time in which nobody looked at the heartbeats: pings that come from a spool after it are excused as well.

-- +goose Up
ALTER TABLE heartbeat_ticks ADD away_from  timestamptz NOT NULL DEFAULT 'epoch';
ALTER TABLE heartbeat_ticks ADD away_until timestamptz NOT NULL DEFAULT 'epoch';

-- What reports count is found by when it happened, without reading the rest of history. The indexes are built while
-- signals come in and the release before runs; what an attempt that was cut off has left is built anew.

-- +goose NO TRANSACTION
-- +goose Up
DROP INDEX CONCURRENTLY IF EXISTS incidents_team_opened;
CREATE INDEX CONCURRENTLY incidents_team_opened ON incidents (team_id, opened_at);
DROP INDEX CONCURRENTLY IF EXISTS incident_events_acks;
CREATE INDEX CONCURRENTLY incident_events_acks ON incident_events (incident_id, at) WHERE kind IN ('acknowledged', 'ack_counted');

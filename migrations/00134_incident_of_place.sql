-- Which incident a command is about that names none: that of the channel or thread in which it is typed, or else the one that
-- the person had last. The indexes are built while signals come in and the release before runs; what an attempt that was cut off
-- has left is built anew.

-- +goose NO TRANSACTION
-- +goose Up
DROP INDEX CONCURRENTLY IF EXISTS incidents_own_channel;
CREATE INDEX CONCURRENTLY incidents_own_channel ON incidents ((channel ->> 'id')) WHERE channel ->> 'id' IS NOT NULL;
DROP INDEX CONCURRENTLY IF EXISTS drawings_message;
CREATE INDEX CONCURRENTLY drawings_message ON drawings (channel, ts) WHERE ts <> '';
DROP INDEX CONCURRENTLY IF EXISTS drawing_copies_message;
CREATE INDEX CONCURRENTLY drawing_copies_message ON drawing_copies (channel, ts);
DROP INDEX CONCURRENTLY IF EXISTS incidents_resolved;
CREATE INDEX CONCURRENTLY incidents_resolved ON incidents (resolved_at) WHERE status = 'resolved';

-- Integrations take turns: the inbox is read by integration, each in the order of arrival.

-- +goose Up
CREATE INDEX inbox_turns ON inbox (integration_id, id);

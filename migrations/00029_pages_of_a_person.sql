-- The incident for which somebody was paged last is found without reading everybody's pages.

-- +goose Up
CREATE INDEX pages_user ON pages (user_id, incident_id DESC);

-- How signals are made of any JSON that comes for an integration.

-- +goose Up
ALTER TABLE integrations ADD mapping jsonb; -- oncall.Mapping; NULL: it is read as its kind says

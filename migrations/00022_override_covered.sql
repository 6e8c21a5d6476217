-- An override that acts only while somebody would be on call, so that a schedule with hours keeps them.

-- +goose Up
ALTER TABLE overrides ADD only_covered boolean NOT NULL DEFAULT false;

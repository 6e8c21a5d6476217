-- +goose Up
-- Texts to some people come from a name rather than from our number, and can't be answered.
ALTER TABLE contacts ADD COLUMN named_sender boolean NOT NULL DEFAULT false;

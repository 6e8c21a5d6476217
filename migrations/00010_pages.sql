-- Every way to reach a person.

-- +goose Up
ALTER TABLE pages ADD contact   bigint NOT NULL DEFAULT 0; -- 0: what everybody has
ALTER TABLE pages ADD recipient text   NOT NULL DEFAULT ''; -- of a page that is for no person
ALTER TABLE pages ADD due_at    timestamptz; -- not sent earlier; NULL: at once

-- Which secrets the instances have, by their fingerprints, and from when on each is used.

-- +goose Up
CREATE TABLE secrets (
    fingerprint bytea PRIMARY KEY,
    settled_at  timestamptz NOT NULL
);

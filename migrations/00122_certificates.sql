-- Certificates that were got from an ACME server, with their keys, for all instances.

-- +goose Up
CREATE TABLE certificates (
    name    text        PRIMARY KEY, -- as the library calls it: a domain, an account, a challenge
    sealed  text        NOT NULL,    -- by WATCHBILL_SECRET
    kept_at timestamptz NOT NULL
);

-- +goose Up

-- Tests and checks before a shift, so that what rings a phone or costs money can be counted.
CREATE TABLE probes (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id text        NOT NULL,
    kind    text        NOT NULL, -- test, check
    method  text        NOT NULL,
    address text        NOT NULL,
    sent_at timestamptz NOT NULL
);
CREATE INDEX probes_sent ON probes (sent_at);
CREATE INDEX codes_sent ON codes (sent_at);

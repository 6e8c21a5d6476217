-- +goose Up

-- Requests that must not be carried out twice, for a day, and how they were answered.
CREATE TABLE api_requests (
    key_id  bigint      NOT NULL REFERENCES api_keys,
    token   text        NOT NULL, -- the program's own name for the request
    hash    bytea       NOT NULL, -- of what it asks
    made_at timestamptz NOT NULL,
    answer  jsonb,                -- null: it is being answered
    PRIMARY KEY (key_id, token)
);
CREATE INDEX api_requests_made ON api_requests (made_at);

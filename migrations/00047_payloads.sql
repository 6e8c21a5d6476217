-- What monitors have sent, as it came, without secrets: the latest of each integration, for a week.

-- +goose Up
CREATE TABLE payloads (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    integration_id bigint      NOT NULL, -- no foreign keys: whoever sends a signal must not wait for it to be kept
    team_id        bigint      NOT NULL, -- of the integration then: who may see the team may see this
    received_at    timestamptz NOT NULL,
    method         text        NOT NULL,
    path           text        NOT NULL, -- the key is not in it
    query          text        NOT NULL,
    headers        jsonb       NOT NULL, -- harmless ones
    body           bytea       NOT NULL,
    size           bigint      NOT NULL, -- of the whole body, in bytes; 0: it isn't known
    cut            boolean     NOT NULL, -- it was longer than what is kept
    reader         text        NOT NULL, -- by what it was read; empty: by the integration's kind
    taken_for      text        NOT NULL, -- a format; empty: it was not understood
    trouble        text        NOT NULL, -- why it was refused or not understood
    signals        int         NOT NULL,
    keys           jsonb       NOT NULL  -- dedup keys of the first ones
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
CREATE INDEX payloads_latest ON payloads (integration_id, received_at, id);
CREATE INDEX payloads_age ON payloads (received_at);

-- What people are told apart from incidents: hand-offs, reminders, requests and warnings.

-- +goose Up
CREATE TABLE notices (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key        text        NOT NULL UNIQUE, -- so that it is sent once
    recipient  text        NOT NULL,        -- a Slack user or channel
    kind       text        NOT NULL,
    about      bigint      NOT NULL,
    facts      jsonb       NOT NULL,
    version    bigint      NOT NULL,
    not_after  timestamptz,
    created_at timestamptz NOT NULL,
    tried_at   timestamptz, -- the first attempt to post, which may have succeeded without our knowing
    channel    text        NOT NULL, -- empty: not posted yet
    ts         text        NOT NULL,
    drawn      bigint      NOT NULL  -- the version shown by the message
);
CREATE INDEX notices_about ON notices (kind, about) WHERE about <> 0;
CREATE INDEX notices_created ON notices (created_at);

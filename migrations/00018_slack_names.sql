-- +goose Up

-- What the set-up names in Slack is kept by Slack's id: a name may pass on to something else.

-- The channels that teams and policies name, as they name them.
CREATE TABLE slack_channels (
    named   text        PRIMARY KEY,
    id      text        NOT NULL,
    name    text        NOT NULL, -- as Slack has it now, without #
    seen_at timestamptz NOT NULL  -- when Slack said so
);
CREATE INDEX slack_channels_id ON slack_channels (id);

-- User groups that follow schedules, and those that policies page; empty: not known yet.
ALTER TABLE user_groups ADD COLUMN slack_id text NOT NULL DEFAULT '';
ALTER TABLE slack_groups ADD COLUMN slack_id text NOT NULL DEFAULT '';

-- The address by which the set-up names a person. Their own may become another.
ALTER TABLE users ADD COLUMN named text NOT NULL DEFAULT '';
CREATE INDEX users_named ON users (named) WHERE named <> '';

-- +goose Up

-- Keys with which programs ask and do things. Of a key only its hash is kept; after a rotation the one before is
-- good for a day.
CREATE TABLE api_keys (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text        NOT NULL,
    team_id    bigint      REFERENCES teams, -- null: of no team
    owner      text        NOT NULL,         -- the person whose own it is; '' where it is nobody's
    scopes     text[]      NOT NULL,
    hash       bytea       NOT NULL UNIQUE,
    hint       text        NOT NULL,         -- its last four characters
    made_at    timestamptz NOT NULL,
    made_by    jsonb       NOT NULL,
    rotated_at timestamptz,
    expires_at timestamptz,
    old_hash   bytea       UNIQUE,
    old_hint   text        NOT NULL DEFAULT '',
    old_until  timestamptz,
    revoked_at timestamptz,
    used_at    timestamptz,
    uses       bigint      NOT NULL DEFAULT 0,
    CHECK (team_id IS NULL OR owner = '')
);
CREATE UNIQUE INDEX api_keys_name ON api_keys (name) WHERE revoked_at IS NULL;

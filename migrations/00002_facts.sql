-- People, schedules, policies and integrations. Times always come from the program; nothing here
-- reads the clock. Removed things keep their rows, because incidents refer to them.

-- +goose Up
CREATE TABLE users (
    id             text PRIMARY KEY, -- Slack's id
    name           text        NOT NULL,
    email          text        NOT NULL,
    time_zone      text        NOT NULL,
    deactivated_at timestamptz,
    slack_at       timestamptz -- when Slack last sent the profile; from then on that is what counts
);

CREATE TABLE teams (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text        NOT NULL,
    channel    text        NOT NULL,
    created_at timestamptz NOT NULL,
    removed_at timestamptz
);
CREATE UNIQUE INDEX teams_name ON teams (name) WHERE removed_at IS NULL;

CREATE TABLE team_members (
    team_id  bigint NOT NULL REFERENCES teams,
    user_id  text   NOT NULL REFERENCES users,
    position int    NOT NULL,
    PRIMARY KEY (team_id, user_id)
);

CREATE TABLE schedules (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    team_id    bigint      NOT NULL REFERENCES teams,
    name       text        NOT NULL,
    time_zone  text        NOT NULL,
    created_at timestamptz NOT NULL,
    removed_at timestamptz
);
CREATE UNIQUE INDEX schedules_name ON schedules (name) WHERE removed_at IS NULL;

CREATE TABLE schedule_versions (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    schedule_id    bigint      NOT NULL REFERENCES schedules,
    effective_from timestamptz, -- NULL: from the beginning
    rotations      jsonb       NOT NULL,
    note           text        NOT NULL,
    created_by     text        NOT NULL,
    created_at     timestamptz NOT NULL
);
CREATE INDEX schedule_versions_schedule ON schedule_versions (schedule_id, id);

CREATE TABLE overrides (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- ascending in order of creation
    schedule_id  bigint      NOT NULL REFERENCES schedules,
    kind         text        NOT NULL,
    role         text        NOT NULL,
    start_at     timestamptz NOT NULL,
    end_at       timestamptz NOT NULL CHECK (end_at > start_at),
    users        text[]      NOT NULL,
    from_user    text        NOT NULL,
    to_user      text        NOT NULL,
    time_zone    text        NOT NULL,
    windows      jsonb       NOT NULL,
    shifts       jsonb       NOT NULL,
    allow_gaps   boolean     NOT NULL,
    reason       text        NOT NULL,
    created_by   text        NOT NULL,
    created_at   timestamptz NOT NULL,
    cancelled_at timestamptz
);
CREATE INDEX overrides_schedule ON overrides (schedule_id, end_at);

CREATE TABLE policies (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    team_id    bigint      NOT NULL REFERENCES teams,
    name       text        NOT NULL,
    repeat     int         NOT NULL,
    steps      jsonb       NOT NULL,
    created_at timestamptz NOT NULL,
    removed_at timestamptz
);
CREATE UNIQUE INDEX policies_name ON policies (name) WHERE removed_at IS NULL;

CREATE TABLE integrations (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    team_id    bigint      NOT NULL REFERENCES teams,
    policy_id  bigint      NOT NULL REFERENCES policies,
    name       text        NOT NULL,
    kind       text        NOT NULL,
    key_hash   bytea       NOT NULL, -- SHA-256; the key itself is shown once and never stored
    key_hint   text        NOT NULL, -- the key's last four characters
    created_at timestamptz NOT NULL,
    removed_at timestamptz
);
CREATE UNIQUE INDEX integrations_name ON integrations (name) WHERE removed_at IS NULL;
CREATE UNIQUE INDEX integrations_key ON integrations (key_hash) WHERE removed_at IS NULL;

-- Editing a schedule adds a version, so that the past never changes, and an incident's events stay
-- as they were written. The database itself refuses anything else.
-- +goose StatementBegin
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END
$$;
-- +goose StatementEnd

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON schedule_versions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

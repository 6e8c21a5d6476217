-- Hand-offs, reminders, Slack user groups, and what the guard found.

-- +goose Up
ALTER TABLE team_members ADD role text NOT NULL DEFAULT 'responder' CHECK (role IN ('responder', 'admin'));
ALTER TABLE teams ADD topic boolean NOT NULL DEFAULT false; -- whether the channel's topic says who is on call
ALTER TABLE schedules ADD look_at timestamptz; -- the next hand-off or reminder, which a job waits for

-- Who was last announced as on call in a role, and the state of that hand-off.
CREATE TABLE handoffs (
    schedule_id bigint      NOT NULL REFERENCES schedules,
    role        text        NOT NULL,
    number      bigint      NOT NULL, -- of the hand-off; 0: none yet
    users       text[]      NOT NULL,
    incoming    text[]      NOT NULL,
    outgoing    text[]      NOT NULL,
    at          timestamptz NOT NULL,
    acked_by    text        NOT NULL,
    PRIMARY KEY (schedule_id, role)
);
CREATE SEQUENCE handoff_numbers;
CREATE INDEX handoffs_number ON handoffs (number);

-- How long before a shift a person wants to be reminded, in seconds. No row means the default.
CREATE TABLE reminder_preferences (
    user_id text  PRIMARY KEY REFERENCES users,
    before  int[] NOT NULL
);

CREATE TABLE user_groups (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    handle      text        NOT NULL, -- such as "payments-oncall", or Slack's id
    schedules   bigint[]    NOT NULL,
    roles       text[]      NOT NULL,
    when_empty  text        NOT NULL,
    fallback    text        NOT NULL, -- a user id, or empty
    created_at  timestamptz NOT NULL,
    removed_at  timestamptz,
    trouble     text        NOT NULL  -- the problem that the admins were told of; empty: none
);
CREATE UNIQUE INDEX user_groups_handle ON user_groups (handle) WHERE removed_at IS NULL;

-- What the guard found and is still the case.
CREATE TABLE findings (
    key      text        PRIMARY KEY,
    kind     text        NOT NULL,
    found_at timestamptz NOT NULL
);

-- Escalation policies with acknowledgement rules, handing over to another policy and round robin;
-- teams with working hours, fallback people and a reminder.

-- +goose Up
ALTER TABLE policies ADD acks        int    NOT NULL DEFAULT 0; -- how many must acknowledge; 0: one
ALTER TABLE policies ADD ack_timeout bigint NOT NULL DEFAULT 0; -- seconds after which the owner is asked; 0: never
ALTER TABLE policies ADD ack_wait    bigint NOT NULL DEFAULT 0; -- seconds in which the owner must answer
ALTER TABLE policies ADD opened      bigint NOT NULL DEFAULT 0; -- incidents so far, if a step takes turns by incident

ALTER TABLE teams ADD time_zone text   NOT NULL DEFAULT ''; -- for the working hours; empty: that of the first schedule
ALTER TABLE teams ADD hours     jsonb  NOT NULL DEFAULT '[]'; -- working hours; empty: Monday to Friday, 09:00 to 17:00
ALTER TABLE teams ADD fallback  text[] NOT NULL DEFAULT '{}'; -- paged if nobody else is; empty: the admins
ALTER TABLE teams ADD remind    bigint NOT NULL DEFAULT 600; -- seconds between reminders of unacknowledged incidents; 0: none

-- Whether a step has paged a person since escalation began. This is assumed of all incidents that
-- exist when this step runs.
ALTER TABLE incidents ADD called boolean NOT NULL DEFAULT true;
ALTER TABLE incidents ALTER called SET DEFAULT false;
ALTER TABLE incidents ADD home_policy bigint NOT NULL DEFAULT 0; -- the policy it began with, if another has taken over

-- The members of Slack user groups that policies page, as last seen.
CREATE TABLE slack_groups (
    handle text   PRIMARY KEY,
    users  text[] NOT NULL
);

-- What people can do with an incident beside acknowledging and resolving it.

-- +goose Up
ALTER TABLE incidents ADD snoozed_until timestamptz; -- the end of a snooze; kept when the incident is resolved before
ALTER TABLE incidents ADD snoozed_by    jsonb    NOT NULL DEFAULT '{}';
ALTER TABLE incidents ADD acks          text[]   NOT NULL DEFAULT '{}'; -- who has acknowledged, where several must
ALTER TABLE incidents ADD ack_asked     boolean  NOT NULL DEFAULT false; -- the owner was asked "still on it?"
ALTER TABLE incidents ADD responders    jsonb    NOT NULL DEFAULT '[]'; -- asked to help, each answers for themselves
ALTER TABLE incidents ADD merged_into   bigint   NOT NULL DEFAULT 0; -- 0: it stands for itself
ALTER TABLE incidents ADD links         bigint[] NOT NULL DEFAULT '{}'; -- related incidents
ALTER TABLE incidents ADD turn          bigint   NOT NULL DEFAULT 0; -- counts the incidents of a policy, for round robin
ALTER TABLE incidents ADD hops          int      NOT NULL DEFAULT 0; -- how often it was handed to another policy
ALTER TABLE incidents ADD unassigned    boolean  NOT NULL DEFAULT false; -- no step had anybody to page

-- A signal about an incident that was merged finds the one that it went into.
CREATE INDEX incidents_merged ON incidents (merged_into) WHERE merged_into <> 0;

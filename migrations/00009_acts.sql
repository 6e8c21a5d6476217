-- What people can do with an incident apart from acknowledging and resolving it.

-- +goose Up
ALTER TABLE incidents ADD snoozed_until timestamptz; -- the end of a snooze; kept if the incident is resolved earlier
ALTER TABLE incidents ADD snoozed_by    jsonb    NOT NULL DEFAULT '{}';
ALTER TABLE incidents ADD acks          text[]   NOT NULL DEFAULT '{}'; -- who has acknowledged, if several people must
ALTER TABLE incidents ADD ack_asked     boolean  NOT NULL DEFAULT false; -- the owner was asked "still on it?"
ALTER TABLE incidents ADD responders    jsonb    NOT NULL DEFAULT '[]'; -- people asked to help, with each one's answer
ALTER TABLE incidents ADD merged_into   bigint   NOT NULL DEFAULT 0; -- 0: not merged
ALTER TABLE incidents ADD links         bigint[] NOT NULL DEFAULT '{}'; -- related incidents
ALTER TABLE incidents ADD turn          bigint   NOT NULL DEFAULT 0; -- its number among the policy's incidents, for round robin
ALTER TABLE incidents ADD hops          int      NOT NULL DEFAULT 0; -- how often it was handed over to another policy
ALTER TABLE incidents ADD unassigned    boolean  NOT NULL DEFAULT false; -- no step had anyone to page

-- For signals about a merged incident: they go to the one it was merged into.
CREATE INDEX incidents_merged ON incidents (merged_into) WHERE merged_into <> 0;

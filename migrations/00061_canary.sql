-- The canary: an incident of Watchbill's own that goes the whole way every few minutes. Its rows are real ones, of a
-- team that nobody sees because it was removed. Its incidents have negative numbers. Earlier releases take its
-- integration for muted, and its policy for one that has nobody to page.

-- +goose Up
CREATE TABLE canary (
    one        boolean PRIMARY KEY DEFAULT true CHECK (one),
    number     bigint      NOT NULL DEFAULT 0, -- of the latest; its incident is -number
    planted_at timestamptz,
    flying     boolean     NOT NULL DEFAULT false, -- the latest has not come through yet
    triggered  boolean     NOT NULL DEFAULT false, -- its signal was accepted
    cleared    boolean     NOT NULL DEFAULT false, -- and that which ends it
    tried_at   timestamptz,                        -- when the next of these was last handed in
    through_at timestamptz,                        -- when the last one came through
    seconds    double precision NOT NULL DEFAULT 0, -- how long that took until its last page was sent
    late_since timestamptz                         -- the admins were told that it doesn't come through; NULL: it does
);
INSERT INTO canary DEFAULT VALUES;

INSERT INTO teams (id, name, channel, remind, created_at, removed_at)
OVERRIDING SYSTEM VALUE VALUES (-1, 'watchbill-canary', '', 0, 'epoch', 'epoch');

-- The second page waits for a timer.
INSERT INTO policies (id, team_id, name, repeat, steps, created_at, removed_at)
OVERRIDING SYSTEM VALUE VALUES (-1, -1, 'watchbill-canary', 0,
    '[{"targets": [{"canary": true}], "delay": 1}, {"targets": [{"canary": true}], "delay": 86400}]', 'epoch', 'epoch');

INSERT INTO integrations (id, team_id, policy_id, name, kind, key_hash, key_hint, storm_limit, created_at, removed_at, muted_at, first_signal_at)
OVERRIDING SYSTEM VALUE VALUES (-1, -1, -1, 'watchbill-canary', 'generic', '', '', 0, 'epoch', 'epoch', 'epoch', 'epoch');

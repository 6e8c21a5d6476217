-- +goose Up

-- At most one job waits for an incident's drawing: it is looked for whenever the incident changes.
CREATE INDEX river_job_draws ON river_job (((args ->> 'incident')::bigint))
	WHERE kind = 'draw' AND state IN ('available', 'scheduled', 'retryable');

-- A notice is looked for by its message when somebody presses a button in it.
CREATE INDEX notices_place ON notices (channel, ts) WHERE ts <> '';

-- What was last tried in a thread, and may stand there without our knowing.
ALTER TABLE drawings ADD thread_tried bigint NOT NULL DEFAULT 0;
ALTER TABLE drawings ADD thread_tried_at timestamptz;

-- Incidents that flap: one line in the thread, edited in place, and when they are looked at.

-- +goose Up

CREATE INDEX incidents_flapping ON incidents (id) WHERE flap IS NOT NULL AND status <> 'resolved';

ALTER TABLE drawings ADD flap_since    timestamptz;              -- of which flapping the line tells; NULL: of none
ALTER TABLE drawings ADD flap_ts       text NOT NULL DEFAULT ''; -- where it is
ALTER TABLE drawings ADD flap_drawn    text NOT NULL DEFAULT ''; -- oncall.Flap.State that it shows
ALTER TABLE drawings ADD flap_tried_at timestamptz;              -- it may have been posted since

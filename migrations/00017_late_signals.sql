-- +goose Up

-- Until when a firing signal of the episode that has ended may be another Alertmanager's that comes
-- late. NULL: nothing may.
ALTER TABLE alerts ADD COLUMN late_until timestamptz;

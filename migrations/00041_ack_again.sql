-- What got worse since it was acknowledged is to be acknowledged again.

-- +goose Up

ALTER TABLE incidents ADD ack_again boolean NOT NULL DEFAULT false; -- ack_asked was because it got worse

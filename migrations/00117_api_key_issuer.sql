-- +goose Up

-- Who vouches for a key that stands for a service: the issuer of its tokens; '' where a key was made by hand.
ALTER TABLE api_keys ADD COLUMN issuer text NOT NULL DEFAULT '';

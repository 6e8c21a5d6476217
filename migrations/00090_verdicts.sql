-- What people say an incident was, once it is over, and what helped.

-- +goose Up
ALTER TABLE incidents ADD verdict text NOT NULL DEFAULT '', -- 'real', 'noise', 'unsure'; empty: nobody has said
                      ADD helped  text NOT NULL DEFAULT '';

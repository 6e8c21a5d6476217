-- Why somebody is paged holds people as values, whom each reader is shown in their own way.

-- +goose Up
ALTER TABLE pages          ADD reason jsonb; -- words and the ids of people by turns, words first; NULL: why, which is about nobody
ALTER TABLE drawing_copies ADD reason jsonb; -- likewise

-- The release before this one runs beside it for a while, and has people as mentions in why. The
-- release after this one may drop the triggers and functions, and why once reason is everywhere.
-- +goose StatementBegin
CREATE FUNCTION reason_of(why text) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_agg(part ORDER BY n)
    FROM (
        SELECT 2 * n - 1 AS n, words AS part
        FROM regexp_split_to_table(why, '<@[UW][A-Z0-9]+>') WITH ORDINALITY AS w (words, n)
        UNION ALL
        SELECT 2 * n, person[1]
        FROM regexp_matches(why, '<@([UW][A-Z0-9]+)>', 'g') WITH ORDINALITY AS p (person, n)
    ) parts
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION why_of(reason jsonb) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT string_agg(CASE WHEN n % 2 = 1 THEN part ELSE '<@' || part || '>' END, '' ORDER BY n)
    FROM jsonb_array_elements_text(reason) WITH ORDINALITY AS r (part, n)
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION both_reasons() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.reason IS NULL THEN
        NEW.reason := reason_of(NEW.why);
    ELSE
        NEW.why := why_of(NEW.reason);
    END IF;
    RETURN NEW;
END
$$;
-- +goose StatementEnd

CREATE TRIGGER page_reason BEFORE INSERT ON pages
    FOR EACH ROW WHEN (NEW.reason IS NOT NULL OR NEW.why LIKE '%<@%') EXECUTE FUNCTION both_reasons();
CREATE TRIGGER copy_reason BEFORE INSERT ON drawing_copies
    FOR EACH ROW WHEN (NEW.reason IS NOT NULL OR NEW.why LIKE '%<@%') EXECUTE FUNCTION both_reasons();

UPDATE pages SET reason = reason_of(why) WHERE why LIKE '%<@%';
UPDATE drawing_copies SET reason = reason_of(why) WHERE why LIKE '%<@%';

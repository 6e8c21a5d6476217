package store

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/jackc/pgx/v5"
)

// A BackupReader reads a backup. Its Head tells to which schema the database has to be migrated before Load.
type BackupReader struct {
	Head BackupHead
	in   *bufio.Reader
	kind frameKind // of the frame that was read last
	data []byte
}

// ReadBackup reads the beginning of a backup.
func ReadBackup(in io.Reader) (*BackupReader, error) {
	r := &BackupReader{in: bufio.NewReaderSize(in, 64<<10)}
	if err := r.next(frameHead); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(r.data, &r.Head); err != nil {
		return nil, fmt.Errorf("%w: its beginning can't be read", ErrBackupBroken)
	}
	if r.Head.Format != backupFormat {
		return nil, fmt.Errorf("the backup is of format %d, and this release reads format %d: restore it with the release that made it, %s",
			r.Head.Format, backupFormat, r.Head.Release)
	}
	return r, nil
}

// next reads a frame. If kinds are given, it must be of one of them.
func (r *BackupReader) next(kinds ...frameKind) error {
	var head [5]byte
	if _, err := io.ReadFull(r.in, head[:]); err != nil {
		return truncatedBackup(err)
	}
	size := binary.BigEndian.Uint32(head[1:])
	if size > largestFrame {
		return fmt.Errorf("%w: it has a piece of %d bytes", ErrBackupBroken, size)
	}
	r.kind, r.data = frameKind(head[0]), make([]byte, size)
	if _, err := io.ReadFull(r.in, r.data); err != nil {
		return truncatedBackup(err)
	}
	if slices.Contains(kinds, r.kind) {
		return nil
	}
	return fmt.Errorf("%w: %q is not what comes next", ErrBackupBroken, r.kind)
}

// truncatedBackup says that a backup ends too early. What the decryption says of it is kept.
func truncatedBackup(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it ends too early", ErrBackupBroken)
	}
	return fmt.Errorf("%w: %w", ErrBackupBroken, err)
}

// TableInUse names a table with rows in it, which keeps a database from being restored into, or is empty.
func TableInUse(ctx context.Context, databaseURL string) (table string, err error) {
	const made = `SELECT to_regclass('inbox') IS NOT NULL`
	const used = `
		SELECT CASE
			WHEN EXISTS (SELECT FROM users) THEN 'users'
			WHEN EXISTS (SELECT FROM teams WHERE id > 0) THEN 'teams'
			WHEN EXISTS (SELECT FROM incidents WHERE id > 0) THEN 'incidents'
			WHEN EXISTS (SELECT FROM inbox WHERE id > 0) THEN 'inbox'
			ELSE '' END`
	conn, err := backupConn(ctx, databaseURL)
	if err != nil {
		return "", err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var there bool
	if err := conn.QueryRow(ctx, made).Scan(&there); err != nil || !there {
		return "", wrapAny(err, "look for tables")
	}
	if err := conn.QueryRow(ctx, used).Scan(&table); err != nil {
		return "", fmt.Errorf("look into the tables: %w", translate(err))
	}
	return table, nil
}

// Load fills the tables with what a backup holds, in one transaction: all of it or nothing. The database must have the
// backup's schema, and nobody may use it.
func (r *BackupReader) Load(ctx context.Context, databaseURL string) (end BackupEnd, err error) {
	conn, err := backupConn(ctx, databaseURL)
	if err != nil {
		return end, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		restrict, err := dropConstraints(ctx, tx)
		if err != nil {
			return err
		}
		loaded := map[string]int64{}
		if err := r.loadTables(ctx, tx, loaded); err != nil {
			return err
		}
		if err := r.loadCounters(ctx, tx); err != nil {
			return err
		}
		if err := r.next(frameEnd); err != nil {
			return err
		}
		if err := json.Unmarshal(r.data, &end); err != nil {
			return fmt.Errorf("%w: its end can't be read", ErrBackupBroken)
		}
		// The decryption knows only at the very end that nothing is missing.
		if _, err := r.in.ReadByte(); !errors.Is(err, io.EOF) {
			return fmt.Errorf("%w: something comes after its end: %w", ErrBackupBroken, err)
		}
		for table, rows := range end.Rows {
			if loaded[table] != rows {
				return fmt.Errorf("%w: table %s has %d rows in it, and had %d", ErrBackupBroken, table, loaded[table], rows)
			}
		}
		for _, statement := range restrict {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return fmt.Errorf("%s: %w", statement, translate(err))
			}
		}
		return nil
	})
	return end, err
}

// dropConstraints takes away foreign keys and triggers, so that rows can come in any order and as they were. It returns what
// brings them back, which checks all rows at once.
func dropConstraints(ctx context.Context, tx pgx.Tx) (restrict []string, err error) {
	const keys = `
		SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname),
			format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
		FROM pg_constraint
		WHERE contype = 'f' AND connamespace = current_schema()::regnamespace
		ORDER BY conrelid, conname`
	const triggers = `
		SELECT DISTINCT format('ALTER TABLE %s DISABLE TRIGGER USER', tgrelid::regclass), format('ALTER TABLE %s ENABLE TRIGGER USER', tgrelid::regclass)
		FROM pg_trigger
		JOIN pg_class ON pg_class.oid = tgrelid
		WHERE NOT tgisinternal AND relnamespace = current_schema()::regnamespace`
	var undo []string
	for _, load := range []string{keys, triggers} {
		rows, _ := tx.Query(ctx, load)
		var off, on string
		_, err := pgx.ForEachRow(rows, []any{&off, &on}, func() error {
			undo, restrict = append(undo, off), append(restrict, on)
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("list foreign keys and triggers: %w", translate(err))
		}
	}
	for _, statement := range undo {
		if _, err := tx.Exec(ctx, statement); err != nil {
			return nil, fmt.Errorf("%s: %w", statement, translate(err))
		}
	}
	return restrict, nil
}

// loadTables fills the tables, replacing the rows that migrations made.
func (r *BackupReader) loadTables(ctx context.Context, tx pgx.Tx, loaded map[string]int64) error {
	err := r.next(frameTable, frameCounters)
	for err == nil && r.kind == frameTable {
		var t backupTable
		if err := json.Unmarshal(r.data, &t); err != nil {
			return fmt.Errorf("%w: the name of a table can't be read", ErrBackupBroken)
		}
		if _, err := tx.Exec(ctx, "TRUNCATE "+pgx.Identifier{t.Name}.Sanitize()); err != nil {
			return fmt.Errorf("empty table %s: %w", t.Name, translate(err))
		}
		rows := &rowReader{r: r}
		tag, err := tx.Conn().PgConn().CopyFrom(ctx, rows, "COPY "+t.sql()+" FROM STDIN")
		if rows.err != nil {
			return rows.err
		}
		if err != nil {
			return fmt.Errorf("fill table %s: %w", t.Name, translate(err))
		}
		loaded[t.Name] = tag.RowsAffected()
	}
	return err
}

func (r *BackupReader) loadCounters(ctx context.Context, tx pgx.Tx) error {
	var counters []backupCounter
	if err := json.Unmarshal(r.data, &counters); err != nil {
		return fmt.Errorf("%w: its sequences can't be read", ErrBackupBroken)
	}
	for _, c := range counters {
		if _, err := tx.Exec(ctx, `SELECT setval($1::text::regclass, $2, $3)`, pgx.Identifier{c.Name}.Sanitize(), c.Value, c.Called); err != nil {
			return fmt.Errorf("set sequence %s: %w", c.Name, translate(err))
		}
	}
	return nil
}

// A rowReader hands on the rows of one table, and leaves the frame after them to be looked at.
type rowReader struct {
	r    *BackupReader
	left []byte
	done bool
	err  error // other than the end
}

// Read is part of io.Reader.
func (r *rowReader) Read(p []byte) (int, error) {
	for len(r.left) == 0 {
		if r.done {
			return 0, io.EOF
		}
		if err := r.r.next(frameRows, frameTable, frameCounters); err != nil {
			r.err = err
			return 0, err
		}
		if r.r.kind != frameRows {
			r.done = true
			return 0, io.EOF
		}
		r.left = r.r.data
	}
	n := copy(p, r.left)
	r.left = r.left[n:]
	return n, nil
}

package store

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// A BackupHead stands at the beginning of a backup.
type BackupHead struct {
	Format  int       `json:"format"`
	Release string    `json:"release"` // of Watchbill, which made it
	Schema  int64     `json:"schema"`  // the latest migration of the database
	At      time.Time `json:"at"`
}

// backupFormat is the only one that there has been.
const backupFormat = 1

// A BackupEnd lists the number of rows in a backup, by table. It comes at the end.
type BackupEnd struct {
	Rows map[string]int64 `json:"rows"`
}

// All returns the number of rows.
func (e BackupEnd) All() (n int64) {
	for _, rows := range e.Rows {
		n += rows
	}
	return n
}

// ErrBackupBroken says that a backup is not whole, or is none.
var ErrBackupBroken = errors.New("this is not a whole backup")

// A frame is a piece of a backup: its kind, the length of what follows in four bytes, and that.
type frameKind byte

const (
	frameHead     frameKind = 'H' // BackupHead
	frameTable    frameKind = 'T' // backupTable
	frameRows     frameKind = 'R' // rows of that table, as COPY writes them in text; a row may go on in the next frame
	frameCounters frameKind = 'C' // backupCounter, all of them
	frameEnd      frameKind = 'E' // BackupEnd
)

// largestFrame bounds what a broken backup can make us allocate.
const largestFrame = 1 << 20

type backupTable struct {
	Name    string   `json:"name"`
	Columns []string `json:"columns"`
}

// A backupCounter is a sequence.
type backupCounter struct {
	Name   string `json:"name"`
	Value  int64  `json:"value"`
	Called bool   `json:"called"`
}

// notBackedUp are tables that say who works at this moment, and what migrations have been applied.
var notBackedUp = []string{"goose_db_version", "river_migration", "river_leader", "river_client", "river_client_queue"}

// Backup writes everything that the database holds at one moment, while everything keeps running. The
// caller compresses and encrypts it.
func Backup(ctx context.Context, databaseURL string, head BackupHead, out io.Writer) (end BackupEnd, err error) {
	const version = `SELECT max(version_id) FROM goose_db_version WHERE is_applied`
	conn, err := backupConn(ctx, databaseURL)
	if err != nil {
		return end, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	w := frameWriter{bufio.NewWriterSize(out, largestFrame)}
	end.Rows = map[string]int64{}
	snapshot := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err = pgx.BeginTxFunc(ctx, conn, snapshot, func(tx pgx.Tx) error {
		head.Format = backupFormat
		if err := tx.QueryRow(ctx, version).Scan(&head.Schema); err != nil {
			return fmt.Errorf("read the database's version: %w", translate(err))
		}
		if err := w.json(frameHead, head); err != nil {
			return err
		}
		tables, err := tablesToBackUp(ctx, tx)
		if err != nil {
			return err
		}
		for _, t := range tables {
			if err := w.json(frameTable, t); err != nil {
				return err
			}
			tag, err := conn.PgConn().CopyTo(ctx, &rowWriter{w: w}, "COPY "+t.sql()+" TO STDOUT")
			if err != nil {
				return fmt.Errorf("read table %s: %w", t.Name, translate(err))
			}
			end.Rows[t.Name] = tag.RowsAffected()
		}
		counters, err := readCounters(ctx, tx)
		if err != nil {
			return err
		}
		return w.json(frameCounters, counters)
	})
	if err == nil {
		err = errors.Join(w.json(frameEnd, end), w.Flush())
	}
	return end, err
}

// backupConn opens a connection on which what COPY writes means the same everywhere.
func backupConn(ctx context.Context, databaseURL string) (*pgx.Conn, error) {
	cfg, err := ParseAddress(databaseURL)
	if err != nil {
		return nil, err
	}
	maps.Copy(cfg.ConnConfig.RuntimeParams, map[string]string{
		"application_name": "watchbill backup", "client_encoding": "UTF8", "datestyle": "ISO", "intervalstyle": "postgres", "timezone": "UTC",
		"extra_float_digits": "3", "bytea_output": "hex", "statement_timeout": "0", "idle_in_transaction_session_timeout": "0",
	})
	conn, err := pgx.ConnectConfig(ctx, cfg.ConnConfig)
	if err != nil {
		return nil, fmt.Errorf("reach the database: %w", translate(err))
	}
	return conn, nil
}

// sql returns the table with its columns, in the form that COPY expects.
func (t backupTable) sql() string {
	columns := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		columns[i] = pgx.Identifier{c}.Sanitize()
	}
	return pgx.Identifier{t.Name}.Sanitize() + " (" + strings.Join(columns, ", ") + ")"
}

func tablesToBackUp(ctx context.Context, tx pgx.Tx) ([]backupTable, error) {
	const load = `
		SELECT c.relname::text AS name, array_agg(a.attname::text ORDER BY a.attnum) AS columns
		FROM pg_class c
		JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
		WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND c.relname <> ALL ($1)
		GROUP BY c.relname
		ORDER BY c.relname`
	rows, _ := tx.Query(ctx, load, notBackedUp)
	tables, err := pgx.CollectRows(rows, pgx.RowToStructByName[backupTable])
	if err != nil {
		return nil, fmt.Errorf("list the tables: %w", translate(err))
	}
	return tables, nil
}

func readCounters(ctx context.Context, tx pgx.Tx) ([]backupCounter, error) {
	const load = `
		SELECT sequencename::text AS name, coalesce(last_value, start_value) AS value, last_value IS NOT NULL AS called
		FROM pg_sequences
		WHERE schemaname = current_schema() AND sequencename NOT LIKE 'goose%'
		ORDER BY sequencename`
	rows, _ := tx.Query(ctx, load)
	counters, err := pgx.CollectRows(rows, pgx.RowToStructByName[backupCounter])
	if err != nil {
		return nil, fmt.Errorf("read the sequences: %w", translate(err))
	}
	return counters, nil
}

// A frameWriter writes frames.
type frameWriter struct{ *bufio.Writer }

func (w frameWriter) frame(kind frameKind, data []byte) error {
	head := binary.BigEndian.AppendUint32([]byte{byte(kind)}, uint32(len(data))) //nolint:gosec // callers bound it
	if _, err := w.Write(head); err != nil {
		return err
	}
	_, err := w.Write(data)
	return err
}

func (w frameWriter) json(kind frameKind, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return w.frame(kind, data)
}

// A rowWriter makes frames of the rows that COPY writes.
type rowWriter struct{ w frameWriter }

// Write is part of io.Writer.
func (r *rowWriter) Write(rows []byte) (n int, err error) {
	for part := range slices.Chunk(rows, largestFrame) {
		if err := r.w.frame(frameRows, part); err != nil {
			return n, err
		}
		n += len(part)
	}
	return n, nil
}

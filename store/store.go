package store

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"
	"github.com/rs/zerolog"

	"github.com/watchbill/watchbill/oncall"
)

// Options configures a Store. Each option has a default.
type Options struct {
	MaxConns    int32    // 0: pgx's default. Run and ClaimInstance each take one more connection.
	Budget      *Budget  // limits the connections of several Systems together; nil: only MaxConns does
	IntakeConns int32    // extra connections reserved for incoming signals; 0: signals use the pool
	Admins      []string // admins of the installation, by Slack id or e-mail address; none: the workspace's owners
	Log         zerolog.Logger
	Metrics     prometheus.Registerer // nil: none
	Phones      oncall.PhoneRules     // countries whose phones may be called
	Changed     func([]oncall.Change) // is told of what has happened to incidents, once it is saved, and must not wait; nil: nobody is
	Secrets     []oncall.Secret       // for signing tokens and hashing codes: the first is used for new ones; none: no new ones are made
}

// A Store is for packages that act on a person's behalf. It is safe for concurrent use.
type Store struct {
	pool       pool
	intakePool pool                  // for accepting signals: looking up the key, the directory and the inbox
	queue      *river.Client[pgx.Tx] // inserts only
	log        zerolog.Logger
	outages    zerolog.Logger // limited to a few lines a minute
	metrics    *metrics
	arrivals   arrivals
	payloads   payloads
	cache      directoryCache
	lists      compiledLists
	keyring    keyring
	phones     oncall.PhoneRules
	keyUses    keyUses
	apiUses    keyUses // of API keys
	refusals   refusals
	onChange   func([]oncall.Change)
	secrets    []oncall.Secret
	// secretUse is nil until UseSecrets was called. While it is nil, the first secret is used.
	secretUse atomic.Pointer[secretUse]
	folding   atomic.Bool
	saved     chan struct{} // see Saved
	admins    []string      // admins of the installation
	// frugal: the System shares a budget of connections. Then it folds by a connection only while signals come.
	frugal     bool
	inboxWoken chan struct{}
}

// A System is for the queue's workers, intake and the program itself. Its own methods check no permissions, so packages
// that act for people get only its Store.
type System struct{ *Store }

// Open makes a System. It does not wait for the database; call Ping to check.
func Open(ctx context.Context, databaseURL string, o Options) (*System, error) {
	cfg, err := ParseAddress(databaseURL)
	if err != nil {
		return nil, err
	}
	configure(cfg, o)
	leaveReplica(cfg)
	conns, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	intakeConns := conns
	if o.IntakeConns > 0 {
		cfg = cfg.Copy()
		cfg.MaxConns = o.IntakeConns
		if intakeConns, err = pgxpool.NewWithConfig(ctx, cfg); err != nil {
			conns.Close()
			return nil, fmt.Errorf("open the database: %w", err)
		}
	}
	s := &System{&Store{
		pool: pool{conns}, intakePool: pool{intakeConns}, log: o.Log, metrics: newMetrics(), phones: o.Phones, secrets: o.Secrets, onChange: o.Changed,
		admins: o.Admins, frugal: o.Budget != nil,
		outages: o.Log.Sample(&zerolog.BurstSampler{Burst: 3, Period: 10 * time.Second}),
	}}
	s.payloads.closed = make(chan struct{})
	if err := s.open(o); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// open sets up the rest of a System once its pools are open.
func (s *System) open(o Options) error {
	queue, err := river.NewClient(riverpgxv5.New(s.pool.Pool), &river.Config{
		Logger:        slog.New(slog.DiscardHandler), // problems are returned as errors
		Hooks:         []rivertype.Hook{&insertHook{}},
		FetchCooldown: time.Millisecond, // how often workers are notified at most
	})
	if err != nil {
		return fmt.Errorf("open the queue: %w", err)
	}
	s.queue = queue
	s.cache.filling, s.saved, s.inboxWoken = make(chan struct{}, 1), make(chan struct{}, 1), make(chan struct{}, 1)
	if o.Metrics != nil {
		return s.metrics.register(o.Metrics, s)
	}
	return nil
}

// configure sets the options of every connection.
func configure(cfg *pgxpool.Config, o Options) {
	if o.MaxConns > 0 {
		cfg.MaxConns = o.MaxConns
	}
	// After a burst connections are given back: where the server has too few, another instance may be without any.
	cfg.MinConns, cfg.MaxConnIdleTime, cfg.HealthCheckPeriod = min(2, cfg.MaxConns), 30*time.Second, 10*time.Second
	if o.Budget != nil {
		cfg.MinConns, cfg.MaxConnIdleTime, cfg.HealthCheckPeriod = 0, budgetIdle, budgetIdle
		cfg.ConnConfig.DialFunc = o.Budget.dial(cfg.ConnConfig.DialFunc)
	}
	set := map[string]string{
		"application_name": "watchbill",
		"jit":              "off", // compiling costs more time than any of our queries
		// A machine that vanished must not keep its locks for two hours, TCP's default.
		"tcp_keepalives_idle":     "5",
		"tcp_keepalives_interval": "2",
		"tcp_keepalives_count":    "3",
		// Our transactions never wait for anything but the database.
		"idle_in_transaction_session_timeout": "60000",
	}
	for name, value := range set {
		if _, given := cfg.ConnConfig.RuntimeParams[name]; !given {
			cfg.ConnConfig.RuntimeParams[name] = value
		}
	}
	if cfg.ConnConfig.ConnectTimeout == 0 {
		cfg.ConnConfig.ConnectTimeout = 5 * time.Second
	}
	cfg.ConnConfig.Tracer = deadlines{}
	cfg.AfterConnect = prepareConn
}

// prepareConn makes pgx return times in UTC, whatever this machine's zone is.
func prepareConn(_ context.Context, conn *pgx.Conn) error {
	conn.TypeMap().RegisterType(&pgtype.Type{
		Name: "timestamptz", OID: pgtype.TimestamptzOID,
		Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC},
	})
	return nil
}

// connect opens a connection outside of the pool, for a long-lived session.
func (s *Store) connect(ctx context.Context, cfg *pgx.ConnConfig) (*pgx.Conn, error) {
	var conn *pgx.Conn
	err := retryWhileFull(ctx, func() (err error) {
		conn, err = pgx.ConnectConfig(ctx, cfg)
		return err
	})
	if err != nil {
		return nil, err
	}
	return conn, prepareConn(ctx, conn)
}

// hangUp ends a long-lived session, even after ctx has ended. It releases the advisory locks first, because the server
// would release them only a moment after the connection closed.
func hangUp(ctx context.Context, conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_, _ = conn.Exec(ctx, `SELECT pg_advisory_unlock_all()`)
	_ = conn.Close(ctx)
}

// Close closes all connections, after the signals being accepted and their payloads were written.
func (s *System) Close() {
	s.arrivals.committers.Wait()
	s.payloads.close()
	s.intakePool.Close()
	s.pool.Close()
}

// Ping checks whether the database answers.
func (s *System) Ping(ctx context.Context) error {
	if _, err := s.pool.Exec(ctx, `SELECT`); err != nil { // unlike pgx's Ping, this is subject to the statement timeout
		return fmt.Errorf("ping the database: %w", translate(err))
	}
	return nil
}

// Pool returns the connections. Only the queue's workers may use them.
func (s *System) Pool() *pgxpool.Pool { return s.pool.Pool }

// Folding reports whether this instance is the one that folds the inbox.
func (s *System) Folding() bool { return s.folding.Load() }

// transact runs do in a transaction.
func (s *Store) transact(ctx context.Context, do func(tx pgx.Tx) error) error {
	err := pgx.BeginFunc(ctx, s.pool, do)
	if err == nil {
		s.signalSaved()
	}
	return translate(err)
}

// signalSaved signals Saved.
func (s *Store) signalSaved() {
	select {
	case s.saved <- struct{}{}:
	default:
	}
}

// Saved receives a value when this process has saved something that may have to be drawn. One value may stand for many
// changes.
func (s *System) Saved() <-chan struct{} { return s.saved }

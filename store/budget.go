package store

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// A Budget limits how many connections several Systems have open together. A System waits for a
// connection while others have them all, and never gets more than its own limit allows.
type Budget struct{ slots chan struct{} }

// budgetIdle is how long an idle connection keeps its place.
const budgetIdle = 2 * time.Second

// NewBudget returns a budget of so many connections.
func NewBudget(conns int) *Budget { return &Budget{make(chan struct{}, conns)} }

// Open returns how many connections are open.
func (b *Budget) Open() int { return len(b.slots) }

// dial returns a function that opens a connection once there is room for it.
func (b *Budget) dial(open pgconn.DialFunc) pgconn.DialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		select {
		case b.slots <- struct{}{}:
		case <-ctx.Done():
			return nil, fmt.Errorf("all %d connections of the process are in use: %w", cap(b.slots), ctx.Err())
		}
		conn, err := open(ctx, network, address)
		if err != nil {
			<-b.slots
			return nil, err
		}
		return &budgeted{Conn: conn, budget: b}, nil
	}
}

// A budgeted connection gives its place back when it is closed.
type budgeted struct {
	net.Conn
	budget *Budget
	once   sync.Once
}

// Close closes the connection.
func (c *budgeted) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() { <-c.budget.slots })
	return err
}

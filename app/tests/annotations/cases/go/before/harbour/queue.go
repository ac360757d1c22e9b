// Package harbour lets ships in, one berth at a time.
package harbour

import (
	"context"
	"errors"
	"sync"
	"time"
)

// ErrClosed is returned once the queue has been closed.
var ErrClosed = errors.New("harbour: queue is closed")

const (
	defaultCapacity = 64
	drainTimeout    = 5 * time.Second
)

// Ship waits for a berth.
type Ship struct {
	Name   string
	Length int
	Urgent bool
}

// Queue holds the ships that wait.
type Queue struct {
	mu     sync.Mutex
	ships  []Ship
	wake   chan struct{}
	closed bool
}

// NewQueue makes an empty queue.
func NewQueue(capacity int) *Queue {
	if capacity <= 0 {
		capacity = defaultCapacity
	}
	return &Queue{
		ships: make([]Ship, 0, capacity),
		wake:  make(chan struct{}, 1),
	}
}

// Push adds a ship; urgent ones go to the front.
func (q *Queue) Push(ship Ship) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return ErrClosed
	}
	if ship.Urgent {
		q.ships = append([]Ship{ship}, q.ships...)
	} else {
		q.ships = append(q.ships, ship)
	}
	select {
	case q.wake <- struct{}{}:
	default:
	}
	return nil
}

// Pop waits for the next ship.
func (q *Queue) Pop(ctx context.Context) (Ship, error) {
	for {
		q.mu.Lock()
		if len(q.ships) > 0 {
			ship := q.ships[0]
			q.ships = q.ships[1:]
			q.mu.Unlock()
			return ship, nil
		}
		closed := q.closed
		q.mu.Unlock()
		if closed {
			return Ship{}, ErrClosed
		}
		select {
		case <-q.wake:
		case <-ctx.Done():
			return Ship{}, ctx.Err()
		}
	}
}

// Close ends the queue; those who wait get ErrClosed.
func (q *Queue) Close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed {
		q.closed = true
		close(q.wake)
	}
}

// Longest is the longest ship of those given.
func Longest(ships []Ship) (Ship, bool) {
	var best Ship
	found := false
	for _, ship := range ships {
		if !found || ship.Length > best.Length {
			best, found = ship, true
		}
	}
	return best, found
}

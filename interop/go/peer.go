// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/getlantern/multipath"
	"github.com/hashicorp/yamux"
)

// table hands out numbers for things that requests refer to later.
type table[T any] struct {
	mu    sync.Mutex
	name  string
	last  int
	items map[int]T
}

func newTable[T any](name string) *table[T] {
	return &table[T]{name: name, items: map[int]T{}}
}

func (t *table[T]) add(item T) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last++
	t.items[t.last] = item
	return t.last
}

func (t *table[T]) get(id int) (T, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	item, ok := t.items[id]
	if !ok {
		return item, fmt.Errorf("no %s %d", t.name, id)
	}
	return item, nil
}

func (t *table[T]) remove(id int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.items, id)
}

// conn is a connection of the module and what has to end with it.
type conn struct {
	net.Conn
	cancel context.CancelFunc // ends the module's watching goroutine of a dialled connection; nil if accepted
}

type listener struct {
	net.Listener
	inner    []net.Listener
	trackers []*tracker
}

type dialer struct {
	multipath.Dialer
}

// peer is what one process holds.
type peer struct {
	out       *answers
	conns     *table[*conn]
	listeners *table[*listener]
	dialers   *table[*dialer]
	sessions  *table[*yamux.Session]
}

func newPeer(w io.Writer) *peer {
	return &peer{
		out:       newAnswers(w),
		conns:     newTable[*conn]("conn"),
		listeners: newTable[*listener]("listener"),
		dialers:   newTable[*dialer]("dialer"),
		sessions:  newTable[*yamux.Session]("session"),
	}
}

func (p *peer) closeConn(id int, c *conn) (result, error) {
	start := time.Now()
	err := c.Close()
	if c.cancel != nil {
		c.cancel()
	}
	p.conns.remove(id)
	return result{"ms": millis(time.Since(start))}, err
}

func millis(d time.Duration) float64 {
	return float64(d.Microseconds()) / 1000
}

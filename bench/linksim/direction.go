// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math/rand"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

type packet struct {
	due  time.Time
	data []byte
}

const lateAfter = 2 * time.Millisecond

// direction is one way over a link: a tail-drop queue served at the link's rate or by its recording, then the delay.
type direction struct {
	mu       sync.Mutex
	p        params
	free     time.Time // when the line is next idle
	recorded player
	lastDue  time.Time
	line     chan packet
	from, to *os.File

	packets, bytes  atomic.Int64 // delivered, with headers
	lost, overflown atomic.Int64 // packets: random loss or link down; tail drop
	late            atomic.Int64 // packets delivered more than lateAfter past their time: the emulation's own error
	offered         atomic.Int64 // bytes entered, with headers, dropped ones too
	payload         atomic.Int64 // bytes of TCP or UDP payload entered, dropped ones too
	arrived         atomic.Int64 // bytes of TCP or UDP payload delivered, what was sent twice too
}

func newDirection(p params, from, to *os.File) *direction {
	d := &direction{p: p, from: from, to: to, line: make(chan packet, 1<<16)}
	d.begin(time.Now())
	return d
}

// read takes packets off the sender's device and decides the fate of each.
func (d *direction) read() {
	buf := make([]byte, 65536)
	for {
		n, err := d.from.Read(buf)
		if err != nil {
			return
		}
		if n < 20 || buf[0]>>4 != 4 {
			continue // IPv4 only: neighbour discovery and the like is noise here
		}
		d.offered.Add(int64(n))
		d.payload.Add(int64(payloadOf(buf[:n])))
		due, ok := d.admit(n, time.Now())
		if !ok {
			continue
		}
		select {
		case d.line <- packet{due, append([]byte(nil), buf[:n]...)}:
		default:
			d.overflown.Add(1)
		}
	}
}

// begin plays the recording, where there is one, from its offset.
func (d *direction) begin(now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.recorded.play(d.p.recorded, d.p.offset, now)
}

// admit says when a packet of n bytes arrives, or that it never does.
func (d *direction) admit(n int, now time.Time) (due time.Time, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.p
	if p.down || p.loss > 0 && rand.Float64() < p.loss {
		d.lost.Add(1)
		return due, false
	}
	leaves, ok := d.leave(n, now)
	if !ok {
		d.overflown.Add(1)
		return due, false
	}
	due = leaves.Add(p.delay)
	if p.jitter > 0 {
		due = due.Add(time.Duration(rand.Int63n(int64(p.jitter))))
	}
	if due.Before(d.lastDue) {
		due = d.lastDue
	}
	d.lastDue = due
	return due, true
}

// leave says when a packet has left the queue, or that the queue has no room for it.
func (d *direction) leave(n int, now time.Time) (leaves time.Time, ok bool) {
	if d.p.recorded != nil {
		return d.recorded.admit(n, d.p.queue, now)
	}
	if d.free.Before(now) {
		d.free = now
	}
	if d.p.rate > 0 {
		if int(d.free.Sub(now).Seconds()*d.p.rate)+n > d.p.queue {
			return leaves, false
		}
		d.free = d.free.Add(time.Duration(float64(n) / d.p.rate * 1e9))
	}
	return d.free, true
}

// write hands packets to the receiver's device when they are due.
func (d *direction) write() {
	for pk := range d.line {
		if w := time.Until(pk.due); w > 0 {
			time.Sleep(w)
		}
		if time.Since(pk.due) > lateAfter {
			d.late.Add(1)
		}
		if _, err := d.to.Write(pk.data); err == nil {
			d.packets.Add(1)
			d.bytes.Add(int64(len(pk.data)))
			d.arrived.Add(int64(payloadOf(pk.data)))
		}
	}
}

// payloadOf is the number of bytes that a packet carries above TCP or UDP.
func payloadOf(ip []byte) int {
	const tcp, udp = 6, 17
	head := int(ip[0]&15) * 4
	switch {
	case ip[9] == tcp && len(ip) >= head+20:
		return max(0, len(ip)-head-int(ip[head+12]>>4)*4)
	case ip[9] == udp:
		return max(0, len(ip)-head-8)
	}
	return 0
}

func (d *direction) counters() map[string]int64 {
	return map[string]int64{"packets": d.packets.Load(), "bytes": d.bytes.Load(), "lost": d.lost.Load(),
		"overflown": d.overflown.Load(), "late": d.late.Load(), "offered": d.offered.Load(), "payload": d.payload.Load(), "arrived": d.arrived.Load()}
}

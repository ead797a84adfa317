// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/binary"
	"io"
	"math"
	"net"
	"sync"
	"time"
)

// lateMessages are waited for at the end of a call.
const lateMessages = 3 * time.Second

// messageHead is the time at which a message left, and its number: copies count once.
const messageHead = 16

// call sends messages by the clock, whether or not those before have arrived.
func call(o options, conn net.Conn) {
	message := make([]byte, max(o.size, messageHead))
	start, startMs, given := time.Now(), nowMs(), 0
	say("start", event{})
	for ; time.Since(start).Seconds() < o.seconds; given++ {
		due := start.Add(time.Duration(float64(given) * o.every * 1e6))
		time.Sleep(time.Until(due))
		// How late the sender is counts as well.
		binary.BigEndian.PutUint64(message, math.Float64bits(startMs+float64(given)*o.every))
		binary.BigEndian.PutUint64(message[8:], uint64(given))
		// Of UDP, an error is the loss of a message.
		if _, err := conn.Write(message); err != nil && o.kind != "udp" {
			break
		}
	}
	time.Sleep(lateMessages)
	say("done", event{"given": given})
}

// hearer notes when each message of a call left, and how long it took.
type hearer struct {
	mu      sync.Mutex
	arrived map[uint64]bool
	took    [][2]float64
}

func (h *hearer) heard(message []byte) {
	at := math.Float64frombits(binary.BigEndian.Uint64(message))
	number := binary.BigEndian.Uint64(message[8:])
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.arrived[number] {
		h.arrived[number] = true
		h.took = append(h.took, [2]float64{at, nowMs() - at})
	}
}

// serveCall hears one call: datagrams of UDP, or messages of equal size in a stream.
func serveCall(o options, ask <-chan string) {
	h := &hearer{arrived: map[uint64]bool{}}
	addrs := o.addrs
	if o.kind == "udp" {
		for _, addr := range o.addrs {
			socket, err := net.ListenPacket("udp", addr)
			check(err)
			go hearPackets(socket, h)
		}
	} else {
		var accept []net.Listener
		accept, addrs = listeners(o)
		for _, l := range accept {
			go hearStreams(o, l, h)
		}
	}
	say("listening", event{"addrs": addrs})
	for range ask {
		h.mu.Lock()
		say("report", event{"took": h.took})
		h.mu.Unlock()
	}
}

func hearPackets(socket net.PacketConn, h *hearer) {
	into := make([]byte, 65536)
	for {
		n, _, err := socket.ReadFrom(into)
		if err != nil {
			return
		}
		if n >= messageHead {
			h.heard(into[:n])
		}
	}
}

func hearStreams(o options, l net.Listener, h *hearer) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			message := make([]byte, max(o.size, messageHead))
			for {
				if _, err := io.ReadFull(conn, message); err != nil {
					return
				}
				h.heard(message)
			}
		}()
	}
}

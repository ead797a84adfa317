// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"time"
)

// opportunity is the number of bytes that may leave at each time of a recording.
const opportunity = 1500

// recording is when a link could deliver: times that never decrease, the last of which is the period of their repetition.
type recording []time.Duration

// readRecording reads a file of one time in milliseconds a line, which is mahimahi's format.
func readRecording(name string) (recording, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var r recording
	last := uint64(0)
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		ms, err := strconv.ParseUint(lines.Text(), 10, 32)
		if err != nil || ms < last {
			return nil, fmt.Errorf("%s, line %d: %q is no whole number of milliseconds from %d on", name, len(r)+1, lines.Text(), last)
		}
		last = ms
		r = append(r, time.Duration(ms)*time.Millisecond)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s, line %d: %v", name, len(r)+1, err)
	}
	if len(r) == 0 {
		return nil, fmt.Errorf("%s has no line", name)
	}
	if last == 0 {
		return nil, fmt.Errorf("%s, line %d: the last time is the period, and must not be 0", name, len(r))
	}
	return r, nil
}

// waiting is a packet that has not left yet.
type waiting struct {
	leaves time.Time
	bytes  int
}

// player is a recording that is played for one direction.
type player struct {
	of     recording
	zero   time.Time // at which its first round began
	next   int       // the opportunity in use, counted through all rounds
	left   int       // bytes that this one still takes
	queue  []waiting
	queued int // bytes
}

// play begins again, at that offset.
func (pl *player) play(of recording, offset time.Duration, now time.Time) {
	pl.of, pl.zero, pl.next, pl.left = of, now.Add(-offset), 0, opportunity
}

func (pl *player) at(n int) time.Time {
	rounds, period := n/len(pl.of), pl.of[len(pl.of)-1]
	return pl.zero.Add(time.Duration(rounds)*period + pl.of[n%len(pl.of)])
}

func (pl *player) use(n int) { pl.next, pl.left = n, opportunity }

// admit says when a packet of n bytes has left, or that a queue of that many bytes has no room for it.
func (pl *player) admit(n, most int, now time.Time) (leaves time.Time, ok bool) {
	for len(pl.queue) > 0 && !pl.queue[0].leaves.After(now) {
		pl.queued -= pl.queue[0].bytes
		pl.queue = pl.queue[1:]
	}
	if pl.queued+n > most {
		return leaves, false
	}
	for !pl.at(pl.next).After(now) {
		pl.use(pl.next + 1) // nothing waited for it
	}
	for rest := n; rest > 0; {
		if pl.left == 0 {
			pl.use(pl.next + 1)
		}
		took := min(rest, pl.left)
		pl.left -= took
		rest -= took
	}
	leaves = pl.at(pl.next)
	pl.queued += n
	pl.queue = append(pl.queue, waiting{leaves, n})
	return leaves, true
}

// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"time"
)

// simulation is the links of one run and what is still to happen to them.
type simulation struct {
	links   []*link
	changes []change
}

func newSimulation(s settings, cns, sns string) (*simulation, error) {
	sim := &simulation{}
	for _, text := range s.ats {
		c, err := parseChange(text, len(s.links))
		if err != nil {
			return nil, err
		}
		sim.changes = append(sim.changes, c)
	}
	for i, text := range s.links {
		var f figures
		if err := f.parse(text); err != nil {
			return nil, err
		}
		l, err := newLink(i, f, cns, sns, s.congctl)
		if err != nil {
			return nil, err
		}
		sim.links = append(sim.links, l)
	}
	return sim, nil
}

// follow applies changes at their times and prints samples, until ended.
func (sim *simulation) follow(mark string, s settings, ended <-chan struct{}) {
	start, seen := time.Now(), false
	nextSample := start.Add(s.sample)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			return
		case <-tick.C:
		}
		if !seen {
			if _, err := os.Stat(mark); err == nil {
				start, seen = time.Now(), true
				sim.begin(start)
			}
		}
		if seen || !s.marked {
			sim.applyDue(time.Since(start))
		}
		if s.sample > 0 && !time.Now().Before(nextSample) {
			nextSample = nextSample.Add(s.sample)
			sim.say("sample", nil)
		}
	}
}

// begin plays all recordings from their offsets, so that each run meets the same at the same time.
func (sim *simulation) begin(now time.Time) {
	for _, l := range sim.links {
		l.up.begin(now)
		l.down.begin(now)
	}
}

func (sim *simulation) applyDue(elapsed time.Duration) {
	rest := sim.changes[:0]
	for _, c := range sim.changes {
		if elapsed < c.at {
			rest = append(rest, c)
			continue
		}
		sim.links[c.link].apply(c.words)
		sim.say("change", map[string]any{"link": c.link, "words": c.words})
	}
	sim.changes = rest
}

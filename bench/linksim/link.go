// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
)

// link is a pair of TUN devices; up carries what the client sends.
type link struct{ up, down *direction }

func newLink(i int, f figures, cns, sns, congctl string) (*link, error) {
	name := fmt.Sprintf("l%d", i)
	c, err := tun(cns, name)
	if err != nil {
		return nil, err
	}
	s, err := tun(sns, name)
	if err != nil {
		return nil, err
	}
	for host, ns := range map[int]string{1: cns, 2: sns} {
		if err := configure(ns, name, i, host, congctl); err != nil {
			return nil, err
		}
	}
	return start(f, c, s), nil
}

func configure(ns, name string, i, host int, congctl string) error {
	if err := ip("-n", ns, "addr", "add", fmt.Sprintf("10.77.%d.%d/24", i, host), "dev", name); err != nil {
		return err
	}
	if err := ip("-n", ns, "link", "set", name, "up", "txqueuelen", "1000"); err != nil || congctl == "" {
		return err
	}
	// A socket bound to this device, but with another link's address for its peer (aggligator opens such), finds
	// no route of its own and would take the kernel's default. The namespace's default can't be set instead:
	// outside of the first one the kernel refuses what is not in tcp_allowed_congestion_control.
	if err := ip("-n", ns, "route", "add", "10.77.0.0/16", "dev", name, "metric", fmt.Sprint(1000+i), "congctl", congctl); err != nil {
		return err
	}
	return ip("-n", ns, "route", "replace", fmt.Sprintf("10.77.%d.0/24", i), "dev", name,
		"src", fmt.Sprintf("10.77.%d.%d", i, host), "congctl", congctl)
}

func start(f figures, c, s *os.File) *link {
	l := &link{newDirection(f.up, c, s), newDirection(f.down, s, c)}
	for _, d := range []*direction{l.up, l.down} {
		go d.read()
		go d.write()
	}
	return l
}

// apply changes both directions, or the one that a word names; the words were checked when they were given.
func (l *link) apply(words string) {
	l.up.mu.Lock()
	defer l.up.mu.Unlock()
	l.down.mu.Lock()
	defer l.down.mu.Unlock()
	f := figures{l.up.p, l.down.p}
	_ = f.parse(words)
	l.up.p, l.down.p = f.up, f.down
}

func (l *link) counters() map[string]any {
	return map[string]any{"up": l.up.counters(), "down": l.down.counters()}
}

// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// params are one link's figures, the same for both directions.
type params struct {
	rate          float64 // bytes per second, 0 = unlimited
	delay, jitter time.Duration
	loss          float64 // 0…1
	queue         int     // bytes
	down          bool
}

// parse applies words such as "rate=50,delay=10" or "down" to p.
func parse(p *params, words string) error {
	for _, w := range strings.FieldsFunc(words, func(r rune) bool { return r == ',' || r == ' ' }) {
		if err := p.set(w); err != nil {
			return err
		}
	}
	if p.queue == 0 {
		p.queue = max(64*1024, int(p.rate*2*p.delay.Seconds()))
	}
	return nil
}

func (p *params) set(word string) error {
	if word == "down" || word == "up" {
		p.down = word == "down"
		return nil
	}
	key, value, _ := strings.Cut(word, "=")
	f, err := strconv.ParseFloat(value, 64)
	if err != nil || f < 0 {
		return fmt.Errorf("%q is neither down, up nor KEY=NUMBER", word)
	}
	switch key {
	case "rate":
		p.rate = f * 1e6 / 8
	case "delay":
		p.delay = time.Duration(f * 1e6)
	case "jitter":
		p.jitter = time.Duration(f * 1e6)
	case "loss":
		p.loss = f / 100
	case "queue":
		p.queue = int(f * 1024)
	default:
		return fmt.Errorf("unknown key %q", key)
	}
	return nil
}

// change is what happens to a link during the run.
type change struct {
	at    time.Duration
	link  int
	words string
}

func parseChange(text string, links int) (change, error) {
	w := strings.Fields(text)
	if len(w) < 3 {
		return change{}, fmt.Errorf("-at wants 'SECONDS LINK WORD…', not %q", text)
	}
	seconds, err1 := strconv.ParseFloat(w[0], 64)
	link, err2 := strconv.Atoi(w[1])
	if err1 != nil || err2 != nil || link < 0 || link >= links {
		return change{}, fmt.Errorf("-at wants 'SECONDS LINK WORD…' with a link that exists, not %q", text)
	}
	words := strings.Join(w[2:], " ")
	return change{time.Duration(seconds * 1e9), link, words}, parse(&params{}, words)
}

// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// figures are those of a link's two directions.
type figures struct{ up, down params }

// params are the figures of one direction.
type params struct {
	rate          float64 // bytes per second, 0 = unlimited
	delay, jitter time.Duration
	loss          float64 // 0…1
	queue         int     // bytes
	down          bool
	recorded      recording     // instead of a rate
	offset        time.Duration // at which the recording begins
}

// parse applies words such as "rate=50,delay=10" or "down" to both directions, and those such as "up:rate=5" to one.
func (f *figures) parse(words string) error {
	for _, w := range strings.FieldsFunc(words, func(r rune) bool { return r == ',' || r == ' ' }) {
		word, isUp := strings.CutPrefix(w, "up:")
		word, isDown := strings.CutPrefix(word, "down:")
		for _, p := range []*params{&f.up, &f.down} {
			if isUp && p != &f.up || isDown && p != &f.down {
				continue
			}
			if err := p.set(word); err != nil {
				return err
			}
		}
	}
	for _, p := range []*params{&f.up, &f.down} {
		if p.queue == 0 {
			p.queue = max(64*1024, int(p.rate*2*p.delay.Seconds()))
		}
	}
	return nil
}

func (p *params) set(word string) error {
	if word == "down" || word == "up" {
		p.down = word == "down"
		return nil
	}
	key, value, _ := strings.Cut(word, "=")
	if key == "recorded" {
		var err error
		p.recorded, err = readRecording(value)
		return err
	}
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
	case "offset":
		p.offset = time.Duration(f * 1e9)
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
	var f figures
	if err := f.parse(words); err != nil {
		return change{}, err
	}
	if f.up.recorded != nil || f.down.recorded != nil {
		return change{}, fmt.Errorf("-at can't begin a recording, which -link does: %q", text)
	}
	return change{time.Duration(seconds * 1e9), link, words}, nil
}

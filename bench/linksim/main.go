// SPDX-License-Identifier: Apache-2.0

// Command linksim runs a command between two network namespaces joined by emulated links.
//
// Each link is a pair of TUN devices, l0, l1, …, one in the client's namespace (10.77.i.1/24) and one
// in the server's (10.77.i.2/24). Every IP packet between them passes through a token-paced, tail-drop
// queue of the given rate and size, then a propagation delay, and may be lost. Each direction is
// emulated on its own: with the same figures, or with those that name it, as in up:rate=2 or down:queue=30. Up is
// from client to server.
//
//	linksim -link rate=50,delay=10 -link rate=20,delay=40,loss=0.5 -at '3 0 down' -at '5 0 up' -- sh -c '
//	  ip netns exec $SNS server & ip netns exec $CNS client'
//
// Link keys: rate (Mbit/s, 0 = unlimited), delay (one way, ms), jitter (ms, keeps order), loss (percent),
// queue (KiB, default 64 or one bandwidth-delay product of 2*delay, whichever is larger).
// recorded=FILE plays a recording of a link instead of a rate: one time in milliseconds a line, at each of which
// 1,500 bytes may leave. The list repeats without end; its last time is its period. It is mahimahi's format. A small
// packet shares its opportunity with the next, and an opportunity at which nothing waits is lost. It begins
// offset=SECONDS into the file, and again from there when the clock starts. Give a queue too: it has no rate to derive one from.
// -at 'SECONDS LINK WORD…' changes a link once the command has run that long: down, up (packets vanish
// silently while down, as on a dead radio), or key=value. The clock starts at the command's start, or,
// where the environment of the command touches the file $LINKSIM_MARK, at that moment.
// -congctl cubic or bbr sets TCP's congestion control on every link, by route; without it the kernel's
// default applies (see /proc/sys/net/ipv4/tcp_congestion_control), and the two behave very differently.
//
// -dry up or down emulates nothing: for each line 'MILLISECONDS BYTES' of its input, a packet that enters the first link that
// way, it says in milliseconds when the packet arrives, or that it is dropped. That needs no root.
//
// JSON lines go to stderr: one for each change of a link, one with all counters every -sample interval, and
// one with all counters at the end; "at" is the wall clock in milliseconds. It needs root, /dev/net/tun and
// iproute2, and takes its namespaces down again.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"
)

type list []string

func (l *list) String() string     { return fmt.Sprint(*l) }
func (l *list) Set(s string) error { *l = append(*l, s); return nil }

type settings struct {
	links, ats list
	congctl    string
	sample     time.Duration
	marked     bool
	dry        string
	command    []string
}

func main() {
	var s settings
	flag.StringVar(&s.congctl, "congctl", "", "TCP congestion control for every link, cubic or bbr (default: the kernel's)")
	flag.DurationVar(&s.sample, "sample", 0, "how often to print the links' counters; 0 is only at the end")
	flag.BoolVar(&s.marked, "marked", false, "no change happens before $LINKSIM_MARK is touched")
	flag.StringVar(&s.dry, "dry", "", "up or down: says when packets of the input would arrive that way, and emulates nothing")
	flag.Var(&s.links, "link", "one link's figures; repeat for more")
	flag.Var(&s.ats, "at", "'SECONDS LINK WORD…': change a link during the run; repeat for more")
	flag.Parse()
	s.command = flag.Args()
	if len(s.links) == 0 || (len(s.command) == 0) == (s.dry == "") {
		fmt.Fprintln(os.Stderr, "usage: linksim -link KEY=VALUE,… [-at 'SECONDS LINK WORD…'] -- COMMAND")
		os.Exit(2)
	}
	// Whoever started us may be gone: a line that nobody reads must not keep the namespaces from being removed.
	signal.Ignore(syscall.SIGPIPE)
	code, err := 0, error(nil)
	if s.dry != "" {
		err = dry(s.links[0], s.dry, os.Stdin)
	} else {
		code, err = run(s)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "linksim:", err)
		code = 2
	}
	os.Exit(code)
}

func run(s settings) (code int, err error) {
	cns, sns := fmt.Sprintf("lsc%d", os.Getpid()), fmt.Sprintf("lss%d", os.Getpid())
	defer func() {
		_ = ip("netns", "del", cns)
		_ = ip("netns", "del", sns)
	}()
	if err := addNamespaces(cns, sns); err != nil {
		return 0, err
	}
	sim, err := newSimulation(s, cns, sns)
	if err != nil {
		return 0, err
	}
	mark := fmt.Sprintf("%s/linksim-mark-%d", os.TempDir(), os.Getpid())
	os.Remove(mark)
	defer os.Remove(mark)
	cmd := exec.Command(s.command[0], s.command[1:]...)
	cmd.Env = append(os.Environ(), "CNS="+cns, "SNS="+sns, "LINKSIM_MARK="+mark)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	forwardSignals(cmd)
	ended := make(chan struct{})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		sim.follow(mark, s, ended)
	}()
	err = cmd.Wait()
	close(ended)
	<-stopped
	sim.say("end", nil)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), nil
	}
	return 0, err
}

func forwardSignals(cmd *exec.Cmd) {
	sig := make(chan os.Signal, 1)
	signal.Notify(sig, os.Interrupt, syscall.SIGTERM)
	go func() {
		for s := range sig {
			_ = cmd.Process.Signal(s)
		}
	}()
}

// say prints a line with all counters.
func (sim *simulation) say(name string, extra map[string]any) {
	row := map[string]any{"event": name, "at": float64(time.Now().UnixNano()) / 1e6}
	for key, value := range extra {
		row[key] = value
	}
	var links []any
	for _, l := range sim.links {
		links = append(links, l.counters())
	}
	row["links"] = links
	line, _ := json.Marshal(row)
	fmt.Fprintln(os.Stderr, string(line))
}

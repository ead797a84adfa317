#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Two machines as network namespaces: "here" with the uplinks eth0, wlan0 and wwan0, and "there" at their other ends.
# Arguments: a file of names for both, and the folder that takes the process of "there". Runs in fresh namespaces; prints `ready`.
set -e
mount --bind "$1" /etc/hosts
ip link set lo up
ip address add 93.184.216.34/32 dev lo

unshare --net sleep infinity < /dev/null > /dev/null 2>&1 &
there=$!
echo "$there" > "$2/there.pid"
while [ "$(readlink "/proc/$there/ns/net")" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.02; done
in_there() { nsenter --net="/proc/$there/ns/net" "$@"; }
in_there ip link set lo up
in_there ip address add 10.81.9.1/32 dev lo
in_there ip address add 10.0.0.1/32 dev lo

table=200
uplink() {
  table=$((table + 1))
  ip link add "$1" type veth peer name "$1" netns "$there"
  ip address add "$2" dev "$1"
  ip link set "$1" up
  in_there ip address add "$3" dev "$1"
  in_there ip link set "$1" up
  ip route add default via "${3%/*}" dev "$1" table "$table"
  ip route add default via "${3%/*}" dev "$1" metric "$table"
  # A rate that costs little to fill.
  tc qdisc add dev "$1" root tbf rate 20mbit burst 64k latency 50ms
  in_there tc qdisc add dev "$1" root tbf rate 20mbit burst 64k latency 50ms
  ip rule add from "${2%/*}" table "$table"
}
uplink wlan0 192.168.1.20/24 192.168.1.1/24
uplink wwan0 10.64.3.7/16 10.64.0.1/16
uplink eth0 192.168.9.20/24 192.168.9.1/24
in_there ip route add 93.184.216.34 via 192.168.1.20

echo ready
wait

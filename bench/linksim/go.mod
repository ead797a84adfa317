module multipath-net/bench/linksim

go 1.24

module multipath-net/bench/pagego

go 1.24

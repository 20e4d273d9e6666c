ip link add d0 type dummy
ip addr add 10.9.9.9/24 dev d0
ip link set d0 up mtu 1400
ip route add 10.8.0.0/16 via 10.9.9.1
ip neigh add 10.9.9.2 lladdr 02:00:00:00:00:01 dev d0
ip -j -p addr
ip -d link
ip -6 route
ip rule add from 10.9.9.9 table 9
ip route get 127.0.0.1
ip netns add n1
ip netns exec n1 ip link
ip netns list
ip netns del n1
ip tunnel
ip tuntap add t0 mode tap
ip maddr
ip mroute
ip xfrm state
ip link del d0
ip -batch /dev/null
timeout 1 ip monitor
ip -o -4 -br addr
ip vrf
ip tcp_metrics
ip token
ip macsec show
ip l2tp show tunnel
ip netconf
ip ntable
ip -s -s link
ip addrlabel
ip -stats neigh
ip link property
ip ila list
ip sr tunsrc show
ip mptcp endpoint
ip nexthop
ip ioam
ip stats
ip fou show
ip -timestamp monitor label & sleep 0.3
kill $!

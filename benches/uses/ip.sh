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
# Name spaces that are made, entered, named after a process, listed and watched; what is saved and restored; names by DNS;
# programs for the kernel's filters.
cd /tmp; rm -rf ipx; mkdir ipx; echo nameserver 127.0.0.1 > /etc/resolv.conf; dnsmasq -k -x /tmp/ipx/dns -p 53 --address=/x.test/127.0.0.1 --no-resolv --user=root & dns=$!
timeout 3 ip netns monitor & ip netns add a1; ip netns add a2; mkdir -p /etc/netns/a1; echo nameserver 127.0.0.1 > /etc/netns/a1/resolv.conf; ip netns exec a1 cat /etc/resolv.conf; ip netns exec a1 sleep 3 & ip -n a1 link set lo up; ip -all netns exec ip link; sleep 0.5; ip netns pids a1; ip netns identify self; ip netns attach a3 $$; ip netns set a1 5; ip netns list-id; ip netns list-id target-nsid 5; ip link add v0 type veth peer name v1; ip link set v1 netns a2; ip -n a2 link; ip addr add 10.7.7.1/24 dev v0; ip link set v0 up; ip route add 10.6.0.0/16 via 10.7.7.9; ip route save > ipx/routes; ip route flush 10.6.0.0/16; ip route restore < ipx/routes; ip route showdump < ipx/routes; ip addr save > ipx/addrs; ip addr flush dev v0; ip addr restore < ipx/addrs; ip addr showdump < ipx/addrs; ip rule save > ipx/rules; ip rule restore < ipx/rules; ip -r route; ip -r neigh; ip route get x.test; ip route add 10.5.0.0/16 via x.test; printf 'addr show\nlink show\nbad\n' > ipx/batch; ip -force -batch ipx/batch; ip -batch - < ipx/batch; ip -color=always -c addr; ip link help; ip link set v0 xdp obj /bin/true sec x; ip link set v0 xdp off; ip route add 10.4.0.0/16 encap bpf in obj /bin/true section x dev v0; ip vrf exec none true; ip vrf identify; ip vrf pids none; ip vrf show; ip link set v0 alias x; ip link set v0 name v9; ip link set v9 up; ip link set v9 vf 0 mac 02:00:00:00:00:02; ip link afstats; ip maddr add 33:33:00:00:00:01 dev v9; ip maddr show; ip tuntap add t1 mode tun user root; ip tuntap list; ip tuntap del t1 mode tun; ip tunnel add tn mode ipip remote 10.1.1.1; ip -6 tunnel show; ip l2tp add tunnel tunnel_id 1 peer_tunnel_id 1 remote 10.1.1.1 local 10.7.7.1; timeout 1 ip monitor all file ipx/none; timeout 1 ip -t monitor all dev v9; timeout 1 ip xfrm monitor; rtmon file ipx/rt & r=$!; sleep 0.3; ip link set v9 down; kill $r; ip monitor all file ipx/rt; PAGER=cat ip -h addr; ip -iec -s link; ip -N route; ip -echo addr add 10.7.7.3/24 dev v9; ip -details -json rule; ip -loops 3 addr flush dev v9; ip link del v9; ip netns del a1; ip netns del a2; ip netns del a3; rm -r /etc/netns; kill $dns

# DNS over UDP and TCP with forwarding, a cache, a helper script, hosts directories that are watched; DHCP for 4 and 6, router
# advertisements and TFTP on a pair of interfaces; daemon mode, log files, signals.
cd /tmp; rm -rf dm; mkdir -p dm/hosts dm/tftp dm/dhcp dm/opts; echo 10.0.0.9 h.test > dm/hosts/a; echo data > dm/tftp/f; printf '#!/bin/sh\necho $@ >> /tmp/dm/script.out\n' > dm/script; chmod 755 dm/script; chmod 777 dm
ip link add dm0 type veth peer name dm1; ip link set dm1 up; ip addr add 192.168.77.1/24 dev dm0; ip addr add fd77::1/64 dev dm0; ip link set dm0 up; unshare -n sh -c 'sleep 90' & ns=$!; sleep 0.3; ip link add v0 type veth peer name v1; ip link set v1 netns $ns; ip addr add 192.168.78.1/24 dev v0; ip addr add fd78::1/64 dev v0; ip link set v0 up; nsenter -t $ns -n ip link set v1 up
cat > dm/conf <<C
user=dnsmasq
group=nogroup
port=5353
pid-file=/tmp/dm/pid
log-facility=/tmp/dm/log
log-async=5
log-queries=extra
log-dhcp
bind-dynamic
interface=lo,v0,dm0
domain=x.test
local=/x.test/
expand-hosts
addn-hosts=/etc/hosts
hostsdir=/tmp/dm/hosts
dhcp-hostsdir=/tmp/dm/dhcp
dhcp-optsdir=/tmp/dm/opts
resolv-file=/tmp/dm/resolv
server=127.0.0.1#5354
server=/tcp.test/127.0.0.1#5354@lo
rev-server=10.0.0.0/8,127.0.0.1#5354
all-servers
stop-dns-rebind
cache-size=50
min-port=20000
query-port=0
dnssec-check-unsigned
conntrack
dhcp-range=192.168.78.10,192.168.78.90,1h
dhcp-range=fd78::10,fd78::90,64,1h
enable-ra
ra-param=v0,4
dhcp-leasefile=/tmp/dm/leases
dhcp-script=/tmp/dm/script
dhcp-option=option:ntp-server,0.0.0.0
dhcp-boot=f
dhcp-authoritative
read-ethers
enable-tftp
tftp-root=/tmp/dm/tftp
auth-zone=auth.test
auth-server=ns.test,lo
srv-host=_a._tcp.x.test,h.test,99
txt-record=x.test,"v"
cname=c.x.test,h.x.test
interface-name=if.test,dm0
edns-packet-max=1232
C
echo nameserver 127.0.0.1 > dm/resolv; dnsmasq -k -p 5354 -x /tmp/dm/pid2 --address=/up.test/10.2.2.2 --no-resolv --user=root --log-facility=- --bind-interfaces --listen-address=127.0.0.1 & up=$!
grep -v conntrack dm/conf > dm/conf1; dnsmasq -C dm/conf1 --test; dnsmasq -C dm/conf1 || dnsmasq -C dm/conf; sleep 1.5
python3 - <<P
import socket,struct
def q(name,t=1): return b"\0\1\1\0\0\1\0\0\0\0\0\0"+b"".join(bytes([len(p)])+p for p in name.split(b"."))+b"\0"+struct.pack(">HH",t,1)
for n,t in ((b"h.test",1),(b"up.test",1),(b"up.test",28),(b"tcp.test",1),(b"x.test",16),(b"c.x.test",1),(b"9.0.0.10.in-addr.arpa",12),(b"version.bind",16),(b"nope.x.test",1),(b"a.auth.test",1),(b"if.test",1)):
    for p in (5353,):
        s=socket.socket(2,2); s.settimeout(0.5)
        try: s.sendto(q(n,t),("127.0.0.1",p)); s.recv(999)
        except OSError: pass
        try: c=socket.create_connection(("127.0.0.1",p),1); m=q(n,t); c.sendall(struct.pack(">H",len(m))+m); c.settimeout(0.5); c.recv(999); c.close()
        except OSError: pass
t=socket.socket(2,2); t.settimeout(1)
try: t.sendto(b"\0\1f\0octet\0tsize\0000\0blksize\0001000\0",("127.0.0.1",69)); d,a=t.recvfrom(999); t.sendto(b"\0\4\0\0",a); t.recv(999); t.sendto(b"\0\4\0\1",a)
except OSError: pass
P
busybox=$(which busybox); nsenter -t $ns -n timeout 6 $busybox udhcpc -i v1 -n -q -s /bin/true; nsenter -t $ns -n timeout 4 $busybox udhcpc6 -i v1 -n -q -s /bin/true; nsenter -t $ns -n timeout 3 $busybox udhcpc -i v1 -n -q -R -s /bin/true
echo 10.0.0.8 w.test > dm/hosts/b; echo '11:22:33:44:55:66,192.168.78.50' > dm/dhcp/a; sleep 0.6; ip addr add 192.168.77.2/24 dev dm0; sleep 0.3; kill -HUP $(cat dm/pid); kill -USR1 $(cat dm/pid); kill -USR2 $(cat dm/pid); sleep 1; touch dm/resolv; nsenter -t $ns -n ip link del v1; sleep 0.5; kill $(cat dm/pid); sleep 0.5; dnsmasq -k -q --log-facility=/tmp/dm/fifo -p 5356 & m=$!; sleep 0.5; kill -STOP $m; kill -CONT $m; kill $m; dnsmasq -v; dnsmasq --help dhcp; kill $up $ns

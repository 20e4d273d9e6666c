# Threads and more processes, chroot and an account, TLS in and out, remote control over a unix socket, local data, root key,
# a forwarder, DNS over HTTPS, the cache's dump, log file and syslog, the daemon mode; and the Python module where built.
cd /tmp; rm -rf ub; mkdir -p ub/root/tmp/ub; chmod 777 ub ub/root; openssl req -x509 -newkey rsa:2048 -nodes -keyout ub/k.pem -out ub/c.pem -subj /CN=x.test -days 9 2>/dev/null; chmod 644 ub/k.pem; unbound-control-setup -d /tmp/ub >/dev/null 2>&1; chmod 644 ub/*.key
cp /usr/share/dns/root.key ub/root.key 2>/dev/null; chmod 666 ub/root.key
conf() { cat <<C
server:
 interface: 127.0.0.1@5310
 interface: ::1@5310
 interface: 127.0.0.1@5311
 interface: 127.0.0.1@5312
 tls-port: 5311
 https-port: 5312
 tls-service-key: /tmp/ub/k.pem
 tls-service-pem: /tmp/ub/c.pem
 tls-upstream: no
 num-threads: $1
 so-reuseport: $2
 so-rcvbuf: 100k
 so-sndbuf: 100k
 ip-transparent: $2
 outgoing-range: 60
 msg-cache-size: 1m
 directory: /tmp/ub
 chroot: "$3"
 username: "unbound"
 pidfile: /tmp/ub/pid
 logfile: "$4"
 use-syslog: $5
 log-queries: yes
 log-replies: yes
 verbosity: 3
 extended-statistics: yes
 statistics-interval: 1
 do-not-query-localhost: no
 auto-trust-anchor-file: /tmp/ub/root.key
 access-control: 0.0.0.0/0 allow
 local-zone: x.test static
 local-data: "x.test. A 10.0.0.1"
 module-config: "validator iterator"
 prefetch: yes
 udp-connect: $2
 edns-tcp-keepalive: yes
 serve-expired: yes
remote-control:
 control-enable: yes
 control-interface: $6
 control-use-cert: $2
 server-key-file: /tmp/ub/unbound_server.key
 server-cert-file: /tmp/ub/unbound_server.pem
 control-key-file: /tmp/ub/unbound_control.key
 control-cert-file: /tmp/ub/unbound_control.pem
forward-zone:
 name: up.test
 forward-addr: 127.0.0.1@5314
forward-zone:
 name: tls.test
 forward-addr: 127.0.0.1@5311#x.test
 forward-tls-upstream: yes
auth-zone:
 name: auth.test
 zonefile: /tmp/ub/auth.zone
stub-zone:
 name: stub.test
 stub-addr: 127.0.0.1@1
C
}
echo '$TTL 60
@ SOA ns root 1 60 60 60 60
 NS ns
ns A 127.0.0.1' > ub/auth.zone; chmod 666 ub/auth.zone
dnsmasq -k -p 5314 -x /tmp/ub/dns --address=/up.test/10.2.2.2 --no-resolv --user=root & up=$!
conf 3 yes "" /tmp/ub/log no 127.0.0.1 > ub/1.conf; conf 1 no /tmp/ub "" yes /tmp/ub/ctl > ub/2.conf; conf 0 no "" "" no /tmp/ub/ctl > ub/3.conf
for n in 1 2 3; do unbound -c /tmp/ub/$n.conf; sleep 1.5
python3 - <<P
import socket,struct,ssl
def q(name,t=1): return struct.pack(">HHHHHH",1,0x100,1,0,0,1)+b"".join(bytes([len(p)])+p for p in name.split(b"."))+b"\0"+struct.pack(">HH",t,1)+b"\0\0\x29\x10\0\0\0\x80\0\0\0"
c=ssl._create_unverified_context()
for n,t in ((b"x.test",1),(b"up.test",1),(b"a.tls.test",1),(b"ns.auth.test",1),(b"stub.test",1),(b"gone.invalid",1),(b"version.bind",16)):
    m=q(n,t)
    try: s=socket.socket(2,2); s.settimeout(0.5); s.sendto(m,("127.0.0.1",5310)); s.recv(4096)
    except OSError: pass
    try: k=socket.create_connection(("127.0.0.1",5310),1); k.settimeout(0.5); k.sendall(struct.pack(">H",len(m))+m); k.recv(4096); k.close()
    except OSError: pass
    try: k=c.wrap_socket(socket.create_connection(("127.0.0.1",5311),1)); k.settimeout(0.5); k.sendall(struct.pack(">H",len(m))+m); k.recv(4096); k.close()
    except OSError: pass
P
curl -sk -m 2 --http2 'https://127.0.0.1:5312/dns-query?dns=AAABAAABAAAAAAAAAXgEdGVzdAAAAQAB' -o /dev/null
for c in status stats_noreset dump_cache list_stubs list_forwards list_local_zones 'local_data y.test A 10.0.0.2' 'forward_add z.test 127.0.0.1' 'flush x.test' 'log_reopen' 'verbosity 1' 'auth_zone_reload auth.test' dump_requestlist reload reload_keep_cache; do timeout 5 unbound-control -c /tmp/ub/$n.conf $c >/dev/null 2>&1; done; unbound-control -c /tmp/ub/$n.conf dump_cache > ub/cache; unbound-control -c /tmp/ub/$n.conf load_cache < ub/cache; sleep 0.5; kill -HUP $(cat ub/pid); sleep 1; timeout 3 unbound-control -c /tmp/ub/$n.conf stop; sleep 1; kill $(cat ub/pid) 2>/dev/null; done
unbound -V; unbound -d -p -vvv -c /tmp/ub/2.conf & sleep 1.5; kill -STOP $!; kill -CONT $!; kill -INT $!; sleep 0.5; kill $up; unbound -h

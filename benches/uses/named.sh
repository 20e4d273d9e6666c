# An authoritative and a recursive server: transfers in and out, dynamic updates with a journal, signing, statistics over HTTP,
# logs of each kind, chroot, rndc's commands (bind9.readthedocs.io).
cd /tmp; rm -rf nd9; mkdir -p nd9/a nd9/b nd9/keys /run/named; chmod 777 nd9 nd9/*; chown bind /run/named
echo '$TTL 60
@ SOA ns root 1 60 60 60 60
 NS ns
ns A 127.0.0.1
a A 10.0.0.1
w TXT "x"' > nd9/a/zone; cp nd9/a/zone nd9/a/dyn; cp nd9/a/zone nd9/a/signed; chmod 666 nd9/a/*; rndc-confgen -a -c /tmp/nd9/rndc.key -k k >/dev/null; chmod 644 nd9/rndc.key; tsig-keygen u > nd9/tsig
cat > nd9/conf <<C
include "/tmp/nd9/rndc.key";
include "/tmp/nd9/tsig";
controls { inet 127.0.0.1 port 9531 allow { any; } keys { k; }; };
options { directory "/tmp/nd9/a"; pid-file "/tmp/nd9/a/pid"; listen-on port 5301 { any; }; listen-on-v6 port 5301 { any; }; recursion yes; forwarders { 127.0.0.1 port 5302; }; dump-file "/tmp/nd9/a/dump"; statistics-file "/tmp/nd9/a/stats"; memstatistics-file "/tmp/nd9/a/mem"; memstatistics yes; allow-transfer { any; }; also-notify { 127.0.0.1 port 5302; }; notify explicit; interface-interval 1; key-directory "/tmp/nd9/keys"; session-keyfile "/tmp/nd9/a/session.key"; querylog yes; max-cache-size 20m; tcp-clients 20; dnssec-validation no; managed-keys-directory "/tmp/nd9/a"; lock-file "/tmp/nd9/a/lock"; use-alt-transfer-source no; allow-new-zones yes; lmdb-mapsize 1M; };
statistics-channels { inet 127.0.0.1 port 8053; };
logging { channel f { file "/tmp/nd9/a/log" versions 3 size 20k; severity debug 3; print-time yes; }; channel s { syslog daemon; }; channel e { stderr; }; category default { f; s; e; }; category queries { f; }; };
zone "x.test" { type primary; file "zone"; ixfr-from-differences yes; masterfile-format text; };
zone "dyn.test" { type primary; file "dyn"; allow-update { key u; }; };
zone "signed.test" { type primary; file "signed"; dnssec-policy default; inline-signing yes; };
zone "up.test" { type forward; forward only; forwarders { 127.0.0.1 port 5302; }; };
C
cat > nd9/conf2 <<C
options { directory "/tmp/nd9/b"; pid-file "/tmp/nd9/b/pid"; listen-on port 5302 { 127.0.0.1; }; listen-on-v6 { none; }; recursion no; session-keyfile "/tmp/nd9/b/session.key"; dnssec-validation no; managed-keys-directory "/tmp/nd9/b"; };
controls { };
zone "x.test" { type secondary; file "sec"; primaries port 5301 { 127.0.0.1; }; allow-notify { any; }; };
zone "up.test" { type primary; file "/tmp/nd9/a/zone"; };
C
named -c /tmp/nd9/conf -u bind -n 2 & sleep 2; named -f -c /tmp/nd9/conf2 -u bind -4 -m usage & two=$!; sleep 2
python3 - <<P
import socket,struct
def q(name,t=1,op=0,rest=b"",n=(1,0,0,0),c=1): return struct.pack(">HHHHHH",1,0x100|op<<11,*n)+b"".join(bytes([len(p)])+p for p in name.split(b"."))+b"\0"+struct.pack(">HH",t,c)+rest
for n,t in ((b"a.x.test",1),(b"a.up.test",1),(b"signed.test",48),(b"version.bind",16),(b"no.x.test",1),(b"gone.invalid",1),(b"x.test",252),(b"x.test",251)):
    s=socket.socket(2,2); s.settimeout(0.7)
    try: s.sendto(q(n,t),("127.0.0.1",5301)); s.recv(4096)
    except OSError: pass
    try: c=socket.create_connection(("127.0.0.1",5301),1); m=q(n,t); c.sendall(struct.pack(">H",len(m))+m); c.settimeout(0.7); c.recv(4096); c.close()
    except OSError: pass
P
r="rndc -c /tmp/nd9/rndc.conf"; (cat nd9/rndc.key; echo 'options { default-key "k"; default-server 127.0.0.1; default-port 9531; };') > nd9/rndc.conf
which nsupdate && printf 'server 127.0.0.1 5301\nzone dyn.test\nupdate add n.dyn.test 60 A 1.2.3.4\nsend\n' | nsupdate -k nd9/tsig; for c in status stats dumpdb 'dumpdb -all' 'sync -clean' freeze thaw 'freeze dyn.test' 'thaw dyn.test' 'notify x.test' 'reload x.test' reload reconfig 'querylog off' 'trace 3' notrace flush recursing secroots 'sign signed.test' 'zonestatus x.test' 'addzone new.test { type primary; file "zone"; };' 'delzone -clean new.test' 'nta -dump' 'managed-keys status' 'dnssec -status signed.test' 'signing -list signed.test' scan 'tsig-list' 'validation check' 'dnstap -roll'; do $r $c; done
sed -i 's/SOA ns root 1/SOA ns root 2/; s/^w TXT.*/w TXT "new"/' nd9/a/zone; $r reload; curl -s http://127.0.0.1:8053/ -o /dev/null; curl -s http://127.0.0.1:8053/json -o /dev/null; ip addr add 127.0.0.9/8 dev lo; sleep 2; kill -HUP $(cat nd9/a/pid); sleep 0.5; $r halt -p; sleep 1; kill $two
mkdir -p nd9/root/etc nd9/root/run/named nd9/root/dev nd9/root/usr/share; cp -a /etc/bind nd9/root/etc/; mkdir -p nd9/root/var/cache/bind; chown -R bind nd9/root/var nd9/root/run; named -f -t /tmp/nd9/root -u bind -p 5303 & sleep 2; kill $!; named -g -c /tmp/nd9/conf -d 2 -S 500 -X none -T maxcachesize=2097152 & sleep 1.5; kill -INT $!; named -V; sleep 0.5

# UDP, a unix socket, TLS, locked memory, external storage on a file, proxy threads, SASL where built, warm restart, daemon mode.
cd /tmp; rm -rf mc; mkdir mc; chmod 777 mc; openssl req -x509 -newkey rsa:2048 -nodes -keyout mc/k.pem -out mc/c.pem -subj /CN=x.test -days 9 2>/dev/null; chmod 644 mc/k.pem
echo nameserver 127.0.0.1 > /etc/resolv.conf; dnsmasq -k -x /tmp/mc/dns -p 53 --address=/x.test/127.0.0.1 --no-resolv & dns=$!
use() { printf 'set a 0 0 3\r\nabc\r\nget a\r\ngets a\r\nincr a 1\r\nadd b 0 1 1\r\nx\r\nappend a 0 0 1\r\nx\r\ntouch a 9\r\nmg a v\r\nms c 2\r\nhi\r\nstats\r\nstats items\r\nstats slabs\r\nstats conns\r\nstats settings\r\nstats sizes\r\nlru_crawler metadump all\r\nlru_crawler crawl all\r\nslabs reassign 1 2\r\nslabs automove 1\r\nlru tune 10 25 0.1 2.0\r\ncache_memlimit 70\r\nverbosity 2\r\nversion\r\nwatch fetchers\r\n' | timeout 2 nc -q1 $@ >/dev/null; }
python3 - > mc/many <<P
for i in range(3000): print(f"set k{i} 0 0 9000\r\n" + "x"*9000, end="\r\n")
for i in range(3000): print(f"get k{i}", end="\r\n")
P
memcached -d -u memcache -P /tmp/mc/pid -l x.test,127.0.0.1:11301,[::1] -p 11300 -U 11300 -m 8 -t 3 -R 5 -o modern,hash_algorithm=murmur3,slab_reassign,lru_maintainer,idle_timeout=1,track_sizes -v; sleep 1; use 127.0.0.1 11300; use 127.0.0.1 11301; printf '\0\1\0\0\0\1\0\0get a\r\n' | timeout 1 nc -u -q1 127.0.0.1 11300 >/dev/null; timeout 8 nc -q1 127.0.0.1 11300 < mc/many >/dev/null; kill -USR1 $(cat mc/pid); sleep 2; kill $(cat mc/pid); sleep 0.5
memcached -u memcache -s /tmp/mc/sock -a 0777 -A -m 16 -e /tmp/mc/memory -b 5 -c 20 & m=$!; sleep 1; use -U /tmp/mc/sock; kill -USR1 $m; sleep 1.5; kill $m; memcached -u memcache -s /tmp/mc/sock -e /tmp/mc/memory -A & m=$!; sleep 1; (printf 'shutdown graceful\r\n'; sleep 0.3) | timeout 1 nc -U /tmp/mc/sock; kill $m
memcached -u memcache -p 11302 -m 8 -o ext_path=/tmp/mc/ext:64m,ext_wbuf_size=2,ext_threads=1,ext_item_size=512,ext_item_age=0,ext_direct_io=false & m=$!; sleep 1; timeout 9 nc -q2 127.0.0.1 11302 < mc/many >/dev/null; use 127.0.0.1 11302; kill $m
memcached -u memcache -p 11303 -Z -o ssl_chain_cert=/tmp/mc/c.pem,ssl_key=/tmp/mc/k.pem & m=$!; sleep 1; printf 'get a\r\nrefresh_certs\r\nquit\r\n' | timeout 2 openssl s_client -quiet -connect 127.0.0.1:11303 >/dev/null 2>&1; kill -INT $m
printf 'a:b:\n' > mc/auth; memcached -u memcache -p 11304 -Y /tmp/mc/auth -r & m=$!; sleep 1; use 127.0.0.1 11304; kill -HUP $m; sleep 0.2; kill $m; memcached -u memcache -S -p 11305 & m=$!; sleep 1; python3 -c "
import socket,struct;s=socket.create_connection(('127.0.0.1',11305))
for op,key,val in ((0x20,b'',b''),(0x21,b'PLAIN',b'\0a\0b'),(0x0b,b'',b'')): s.send(struct.pack('>BBHBBHIIQ',0x80,op,len(key),0,0,0,len(key)+len(val),0,0)+key+val); s.settimeout(1); print(s.recv(999))"; kill $m
memcached -h; memcached -V; memcached -i; kill $dns

# A master with workers and threads bound to processors, TLS, unix and UDP logs, stick tables, caches, checks by command,
# resolvers, transparent and namespaced addresses, splicing, the runtime interface; reload, hand-over of listening sockets.
cd /tmp; rm -rf ha; mkdir -p ha/www ha/chroot; head -c 3000000 /dev/zero > ha/www/big; echo a > ha/www/a
openssl req -x509 -newkey rsa:2048 -nodes -keyout ha/k.pem -out ha/c.pem -subj /CN=x.test -days 9 2>/dev/null; cat ha/c.pem ha/k.pem > ha/both.pem
echo nameserver 127.0.0.1 > /etc/resolv.conf; dnsmasq -k -x /tmp/ha/dns -p 53 --address=/x.test/127.0.0.1 --no-resolv & dns=$!
mkdir -p /run/netns; touch /run/netns/hans; unshare -n sh -c 'ip link set lo up; mount --bind /proc/self/ns/net /run/netns/hans'
cat > ha/lighttpd.conf <<C
server.document-root = "/tmp/ha/www"
server.port = 8399
C
lighttpd -D -f ha/lighttpd.conf & back=$!
printf '#!/bin/sh\nexit 0\n' > ha/check; chmod 755 ha/check
cat > ha/conf <<C
global
 master-worker no-exit-on-failure
 daemon
 nbthread 2
 cpu-map auto:1/1-2 0-1
 pidfile /tmp/ha/pid
 user haproxy
 group haproxy
 chroot /tmp/ha/chroot
 maxconn 200
 ulimit-n 1024
 stats socket /tmp/ha/sock mode 660 level admin expose-fd listeners user haproxy group haproxy
 server-state-file /tmp/ha/state
 log 127.0.0.1:514 local0
 log /dev/log local1
 log stdout format raw daemon
 log ring@r local0
 external-check
 insecure-fork-wanted
 insecure-setuid-wanted
 set-dumpable
 profiling.tasks on
 tune.ssl.cachesize 100
 tune.pipesize 65536
 spread-checks 5
 hard-stop-after 3s
ring r
 size 32768
 server s 127.0.0.1:5140
resolvers d
 parse-resolv-conf
 nameserver n 127.0.0.1:53
cache c
 total-max-size 4
 max-age 10
peers p
 bind 127.0.0.1:8395
 server local
mailers m
 mailer a 127.0.0.1:25
defaults
 mode http
 log global
 option httplog
 option tcp-smart-accept
 option splice-auto
 option redispatch
 option http-server-close
 timeout client 5s
 timeout server 5s
 timeout connect 2s
 load-server-state-from-file global
frontend f
 bind :8380,[::1]:8380 defer-accept tfo interface lo mss 1400
 bind /tmp/ha/front user haproxy mode 666
 bind :8381 ssl crt /tmp/ha/both.pem alpn h2,http/1.1
 bind 127.0.0.1:8382 transparent
 bind 127.0.0.1:8384 namespace hans
 bind abns@ha
 stick-table type ip size 100 expire 10s peers p store conn_cur
 http-request track-sc0 src
 http-request cache-use c
 http-response cache-store c
 http-request do-resolve(txn.ip,d) str(x.test)
 capture request header Host len 20
 compression algo gzip
 use_backend st if { path /stats }
 use_backend un if { path_beg /un }
 use_backend tr if { path_beg /tr }
 use_backend tls if { path_beg /tls }
 default_backend b
backend b
 balance leastconn
 option httpchk GET /a
 email-alert mailers m
 email-alert from a@x.test
 email-alert to a@x.test
 server s x.test:8399 check inter 500ms resolvers d init-addr libc,none
 server t 127.0.0.1:8399 check observe layer7 send-proxy-v2-ssl backup
 server w 127.0.0.1:8397 check inter 300ms
backend un
 http-request set-path /a
 option external-check
 external-check command /tmp/ha/check
 server s unix@/tmp/ha/front check inter 700ms
backend tr
 source 127.0.0.1 usesrc clientip
 server s 127.0.0.1:8399
backend tls
 http-request set-path /a
 server s 127.0.0.1:8381 ssl verify none check
backend st
 stats enable
 stats uri /stats
listen tcp
 mode tcp
 bind :8383
 option splice-request
 option splice-response
 option clitcpka
 server s 127.0.0.1:8399 source 0.0.0.0:10000-20000
C
# What needs all privileges until the end, and what gives them up.
sed '/^ user haproxy$/d; /^ group haproxy$/d' ha/conf > ha/root; sed 's/ namespace hans//; s/ interface lo//; /usesrc/d; /external/d' ha/conf > ha/user
haproxy -c -f ha/root; touch ha/state; haproxy -f ha/root -L local -S /tmp/ha/msock; sleep 2
use() {
u=http://127.0.0.1:8380; for p in a a big none stats un/a tr/a tls/a; do curl -s -m 4 $u/$p -o /dev/null; done
curl -s -m 4 http://127.0.0.1:8383/big -o /dev/null; curl -sk https://127.0.0.1:8381/a https://127.0.0.1:8381/big -o /dev/null; curl -s --unix-socket ha/front http://x/a; curl -s --abstract-unix-socket ha http://x/a; curl -s -d @ha/www/big $u/a -o /dev/null; nsenter --net=/run/netns/hans curl -s http://127.0.0.1:8384/a; curl -s --compressed $u/big -o /dev/null
ab -q -n 60 -c 10 $u/a >/dev/null
for c in 'show info' 'show stat' 'show sess' 'show servers state' 'show fd' 'show activity' 'show threads' 'show pools' 'show table f' 'show cache' 'show ssl cert' 'show resolvers' 'disable server b/s' 'enable server b/s' 'set server b/t weight 5' 'show env' 'show errors' 'show profiling' 'show events r' 'debug dev hash x' 'show libs' 'show startup-logs'; do echo "$c" | socat -t 1 - UNIX:ha/sock >/dev/null; done
for c in 'show proc' '@1 show info' 'show version'; do echo "$c" | socat -t 1 - UNIX:ha/msock >/dev/null; done; }
use; echo 'show servers state' | socat - UNIX:ha/sock > ha/state
kill -USR2 $(cat ha/pid); sleep 2; echo reload | socat -t 2 - UNIX:ha/msock; sleep 1; use
haproxy -L local -f ha/user -x /tmp/ha/sock -sf $(cat ha/pid) -D; sleep 2; kill -TTOU $(cat ha/pid | head -1); sleep 0.3; kill -TTIN $(cat ha/pid | head -1); kill -HUP $(cat ha/pid | head -1); sleep 0.3; kill -USR1 $(cat ha/pid); sleep 3; kill $(cat ha/pid); sleep 1
for m in -de '-dp -de' -dS -dM0xff; do haproxy -db $m -f ha/user & one=$!; sleep 1.2; curl -s http://127.0.0.1:8380/a http://127.0.0.1:8383/big -m 3 -o /dev/null; kill $one; sleep 0.5; kill -9 $one; done
haproxy -vv; haproxy -dKall -c -f ha/root; kill $back $dns

# Two workers with shared memory, every kind of store there is, the peers' protocols, helpers for logs and for access, delay
# pools, TLS bumping if it is built in, ICP, SNMP, the manager's pages, rotation, reconfiguration, shutdown.
cd /tmp; rm -rf sq; mkdir -p sq/www sq/log /run/squid; head -c 3000000 /dev/zero > sq/www/big; echo a > sq/www/a; head -c 60000 /dev/urandom > sq/www/mid; chown -R proxy sq /run/squid
echo nameserver 127.0.0.1 > /etc/resolv.conf; dnsmasq -k -x /tmp/sq/dns -p 53 --address=/x.test/127.0.0.1 --no-resolv & dns=$!
printf 'server.document-root = "/tmp/sq/www"\nserver.port = 8799\nserver.modules = ("mod_cgi")\nmimetype.assign = ("" => "text/plain")\n' > sq/l.conf; lighttpd -D -f sq/l.conf & back=$!
cat > sq/conf <<C
workers 2
cpu_affinity_map process_numbers=1,2 cores=1,2
http_port 8701
http_port 8702 accel defaultsite=x.test vhost
http_port 127.0.0.1:8703 tproxy
icp_port 3130
htcp_port 4827
snmp_port 3401
acl all1 src all
acl snmppublic snmp_community public
snmp_access allow snmppublic
icp_access allow all
htcp_access allow all
pid_filename /tmp/sq/pid
cache_effective_user proxy
coredump_dir /tmp/sq
cache_log /tmp/sq/log/cache
access_log daemon:/tmp/sq/log/access
access_log stdio:/tmp/sq/log/access2
access_log udp://127.0.0.1:514
access_log syslog:daemon.info
cache_store_log stdio:/tmp/sq/log/store
logfile_rotate 2
netdb_filename stdio:/tmp/sq/log/netdb
cache_mem 8 MB
memory_cache_shared on
maximum_object_size_in_memory 100 KB
cache_dir rock /tmp/sq/rock 20 max-size=40000
cache_peer 127.0.0.1 parent 8799 0 originserver no-query name=o
cache_peer_access o allow all1
delay_pools 1
delay_class 1 1
delay_parameters 1 900000/900000
delay_access 1 allow all
url_rewrite_children 1
url_rewrite_program /usr/lib/squid/url_fake_rewrite
external_acl_type unix children-max=1 ttl=1 %SRC /usr/lib/squid/ext_file_userip_acl -f /etc/hosts
acl ext external unix
acl none url_regex none
http_access deny none !ext
auth_param basic program /usr/lib/squid/basic_ncsa_auth /tmp/sq/pw
auth_param basic children 1
acl up proxy_auth REQUIRED
http_access deny none !up
http_access allow all
tcp_outgoing_tos 0x20 all1
qos_flows tos
client_dst_passthru on
shutdown_lifetime 1 seconds
visible_hostname x.test
max_filedescriptors 500
pinger_enable on
C
printf 'x:%s\n' "$(openssl passwd -1 y)" > sq/pw
squid -f /tmp/sq/conf -k parse; squid -f /tmp/sq/conf -z; sleep 2; squid -f /tmp/sq/conf; sleep 3
use() {
for u in a a mid mid big big none; do curl -s -m 4 -x 127.0.0.1:8701 http://x.test:8799/$u -o /dev/null; curl -s -m 4 http://127.0.0.1:8702/$u -o /dev/null; done; curl -s -m 3 -p -x 127.0.0.1:8701 http://x.test:8799/big -o /dev/null; curl -s -m 3 -x 127.0.0.1:8701 http://gone.invalid/ ftp://127.0.0.1/ http://127.0.0.1:1/ -o /dev/null; curl -s -m 4 -d @sq/www/big -x 127.0.0.1:8701 http://x.test:8799/ -o /dev/null
for m in info menu utilization io counters filedescriptors mem storedir ipcache fqdncache objects; do curl -s -m 3 http://127.0.0.1:8702/squid-internal-mgr/$m -o /dev/null; done
ab -q -n 60 -c 10 -X 127.0.0.1:8701 http://x.test:8799/mid >/dev/null; curl -s -X PURGE -x 127.0.0.1:8701 http://x.test:8799/mid -o /dev/null; }
use; squid -f /tmp/sq/conf -k rotate; sleep 1; squid -f /tmp/sq/conf -k reconfigure; sleep 2.5; use; squid -f /tmp/sq/conf -k debug; squid -f /tmp/sq/conf -k check; sleep 0.4; squid -f /tmp/sq/conf -k debug; squid -f /tmp/sq/conf -k shutdown; sleep 4; squid -f /tmp/sq/conf -k kill; sleep 0.5
# One process that reads its disk itself.
sed '/^workers/d; /^cpu_aff/d; s/^cache_dir.*/cache_dir ufs \/tmp\/sq\/ufs 20 4 4\ncache_dir aufs \/tmp\/sq\/aufs 20 4 4\ncache_dir diskd \/tmp\/sq\/diskd 20 4 4/; /tproxy/d' sq/conf > sq/conf2; squid -f /tmp/sq/conf2 -z -N; squid -f /tmp/sq/conf2 -N -C -d1 & sleep 3; use; squid -f /tmp/sq/conf2 -k interrupt; sleep 3; squid -v; kill $back $dns

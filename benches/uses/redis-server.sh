# A server with TLS, a unix socket, io threads and pinned threads, AOF with each policy, snapshots without a disk, a replica, a
# cluster bus, sentinel, scripts, memory doctoring, daemon mode and syslog (redis.io/docs/management/config).
cd /tmp; rm -rf re; mkdir -p re/a re/b re/c; openssl req -x509 -newkey rsa:2048 -nodes -keyout re/k.pem -out re/c.pem -subj /CN=x.test -days 9 2>/dev/null
echo nameserver 127.0.0.1 > /etc/resolv.conf; dnsmasq -k -x /tmp/re/dns -p 53 --address=/x.test/127.0.0.1 --no-resolv & dns=$!
cat > re/a/conf <<C
port 6391
bind 127.0.0.1 -::1
tls-port 6393
tls-cert-file /tmp/re/c.pem
tls-key-file /tmp/re/k.pem
tls-ca-cert-file /tmp/re/c.pem
tls-auth-clients no
unixsocket /tmp/re/a/sock
unixsocketperm 700
daemonize yes
pidfile /tmp/re/a/pid
logfile /tmp/re/a/log
syslog-enabled yes
dir /tmp/re/a
appendonly yes
appendfsync always
aof-use-rdb-preamble yes
save 1 1
rdb-save-incremental-fsync yes
io-threads 3
io-threads-do-reads yes
server_cpulist 0-1
bio_cpulist 0
aof_rewrite_cpulist 1
bgsave_cpulist 1
oom-score-adj yes
disable-thp yes
repl-diskless-sync yes
repl-diskless-sync-delay 0
activedefrag no
latency-monitor-threshold 1
enable-debug-command yes
enable-module-command yes
enable-protected-configs yes
maxmemory 20mb
maxmemory-policy allkeys-lru
lazyfree-lazy-eviction yes
tcp-keepalive 9
watchdog-period 0
notify-keyspace-events KEA
proc-title-template "{title} {listen-addr}"
C
redis-server re/a/conf; sleep 1; r="redis-cli -p 6391"
redis-server --port 6392 --dir /tmp/re/b --replicaof x.test 6391 --repl-diskless-load swapdb --appendonly no --daemonize yes --pidfile /tmp/re/b/pid --min-replicas-to-write 0 --logfile /tmp/re/b/log; sleep 2
printf 'port 26379\ndir /tmp/re/c\nsentinel monitor m 127.0.0.1 6391 1\nsentinel down-after-milliseconds m 800\nsentinel notification-script m /bin/true\nsentinel client-reconfig-script m /bin/true\n' > re/c/s.conf; redis-sentinel re/c/s.conf & sen=$!
redis-server --port 6394 --cluster-enabled yes --dir /tmp/re/c --supervised systemd --save '' --appendonly yes --appendfsync no & clu=$!; sleep 1; redis-cli -p 6394 cluster addslotsrange 0 16383; redis-cli -p 6394 cluster meet 127.0.0.1 6390; redis-cli -p 6394 cluster saveconfig; redis-cli -p 6394 set a b; kill -USR1 $clu; sleep 0.3; redis-cli -p 6394 shutdown
for c in 'set a b' 'debug populate 40000 k 100' 'bgsave' 'bgrewriteaof' 'config set save ""' 'config set appendfsync everysec' 'config rewrite' 'config set appendonly no' 'config set appendonly yes' 'memory doctor' 'memory purge' 'memory stats' 'debug jemalloc info' 'info everything' 'lolwut' 'xadd s * a b' 'blpop nothing 0.2' 'client list' 'acl log' 'acl save' 'object freq a' 'debug reload' 'debug loadaof' 'debug mallctl epoch' 'debug set-active-expire 1' 'debug log x' 'slowlog get' 'latency doctor' 'wait 1 200' 'swapdb 0 1' 'flushdb async' 'unlink a' 'script flush' 'module list' 'module load /none' 'function flush' 'save' 'debug digest' 'config set watchdog-period 200' 'debug sleep 0.5' 'config set watchdog-period 0' 'config set bind 127.0.0.1' 'config set port 6395' ; do $r $c >/dev/null 2>&1; done; r="redis-cli -p 6395"
redis-cli --tls --insecure -p 6393 ping; redis-cli -s re/a/sock eval 'for i=1,100000 do redis.call("set","x",i) end return redis.call("time")' 0; redis-benchmark -p 6395 -q -n 2000 -c 20 -P 4 -t set,get,lpush >/dev/null; redis-cli -p 6395 --pipe </dev/null; redis-cli -p 6395 --rdb /tmp/re/x.rdb
$r client pause 100; redis-cli -p 6392 failover; redis-cli -p 6392 replicaof no one; $r migrate 127.0.0.1 6392 a 0 500; $r debug segfault; sleep 3; redis-cli -p 26379 sentinel masters; kill $sen
redis-check-aof --fix re/a/appendonlydir/*.manifest </dev/null; redis-check-rdb re/a/dump.rdb; redis-server re/a/conf; sleep 1; redis-cli -p 6391 shutdown nosave; kill $(cat re/a/pid) $(cat re/b/pid); sleep 1; redis-server --version; redis-server --test-memory 2; redis-server --check-system; redis-server --help; kill $dns

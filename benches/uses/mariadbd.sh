# Engines, plug-ins, partitions, files in and out, replication to a second server by binary logs, TLS, a unix socket, backup
# stages, events, thread pool, native and ring aio, ways to flush, locked memory, large pages, encryption at rest; recovery
# after a crash, bootstrap (mariadb.com/kb).
cd /tmp; rm -rf my; mkdir -p my/a my/b my/out my/tmp /run/mysqld; chmod 777 my my/*; ulimit -n 1024; chown mysql /run/mysqld
openssl req -x509 -newkey rsa:2048 -nodes -keyout my/k.pem -out my/c.pem -subj /CN=x.test -days 9 2>/dev/null; chmod 644 my/k.pem; printf '1;0123456789abcdef0123456789abcdef\n' > my/keys
echo nameserver 127.0.0.1 > /etc/resolv.conf; dnsmasq -k -x /tmp/my/dns -p 53 --address=/x.test/127.0.0.1 --no-resolv --user=root & dns=$!
mariadb-install-db --user=mysql --datadir=/tmp/my/a --innodb-log-file-size=4M >/dev/null 2>&1; cp -a my/a/. my/b
cat > my/conf <<C
[mariadbd]
user=mysql
innodb-log-file-size=4M
innodb-buffer-pool-size=9M
innodb-use-native-aio=1
innodb-file-per-table=1
innodb-doublewrite=1
innodb-print-all-deadlocks=1
innodb-ft-cache-size=2M
innodb-status-output=1
innodb-buffer-pool-dump-at-shutdown=1
innodb-monitor-enable=all
tmpdir=/tmp/my/tmp
log-bin=bin
sync-binlog=1
binlog-format=mixed
max-binlog-size=4096
expire-logs-days=1
log-error=/tmp/my/error
general-log=1
general-log-file=/tmp/my/general
slow-query-log=1
long-query-time=0
log-output=FILE,TABLE
ssl-cert=/tmp/my/c.pem
ssl-key=/tmp/my/k.pem
skip-name-resolve=0
event-scheduler=1
thread-handling=pool-of-threads
thread-pool-size=2
local-infile=1
secure-file-priv=
plugin-maturity=experimental
plugin-load-add=auth_ed25519;auth_pam;disks;file_key_management;ha_archive;ha_blackhole;ha_federatedx;handlersocket;locales;metadata_lock_info;query_response_time;server_audit;simple_password_check;sql_errlog;query_cache_info
file-key-management-filename=/tmp/my/keys
server-audit-logging=1
server-audit-file-path=/tmp/my/audit
server-audit-file-rotate-size=4096
query-cache-size=1M
query-cache-type=1
performance-schema=1
core-file
external-locking
symbolic-links
key-buffer-size=1M
aria-sync-log-dir=always
table-open-cache=20
open-files-limit=900
extra-port=3411
bind-address=x.test,::1
report-host=x.test
C
mariadbd --defaults-file=/tmp/my/conf --datadir=/tmp/my/a --socket=/tmp/my/s1 --port=3401 --server-id=1 --pid-file=/tmp/my/p1 & one=$!
mariadbd --defaults-file=/tmp/my/conf --datadir=/tmp/my/b --socket=/tmp/my/s2 --port=3402 --server-id=2 --pid-file=/tmp/my/p2 --extra-port=3412 --log-error=/tmp/my/error2 --general-log=0 --slave-parallel-threads=2 --relay-log=relay --read-only & two=$!
q() { echo "$1" | timeout 30 mariadb -f -S /tmp/my/s${2:-1} >/dev/null 2>>my/sql; }; for i in 1 2 3 4 5 6 7 8 9; do sleep 0.8; q 'select 1' 1 && q 'select 1' 2 && break; done
q "drop user if exists ''@'localhost', ''@'$(hostname)'; create user r@'%' identified by 'Pass-word9'; grant all on *.* to r@'%' with grant option; create user p@'%' identified via pam using 'mariadb'; create user e@'%' identified via ed25519 using password('Secret-1'); flush privileges"
q "change master to master_host='x.test', master_port=3401, master_user='r', master_password='Pass-word9', master_ssl=1, master_use_gtid=slave_pos, master_connect_retry=1; start slave" 2
q "create database d; use d; create table t(a int primary key auto_increment, b text, c varchar(90), fulltext(b), key(c)) engine=innodb; create table m(a int, b blob, key(a)) engine=myisam; create table ar(a int, b text) engine=aria transactional=1; create table arch(a int) engine=archive; create table mem(a int) engine=memory; create table cs(a int not null) engine=csv; create table bl(a int) engine=blackhole; create table part(a int) partition by hash(a) partitions 4; create table ext(a int) engine=innodb data directory='/tmp/my/out'; create table comp(a int, b text) page_compressed=1; create table enc(a int, b text) encrypted=yes encryption_key_id=1; create table rowc(a int, b text) row_format=compressed key_block_size=4; create table me(a int) engine=merge union=(m)"
q "use d; insert into t(b,c) select repeat(uuid(),40), uuid() from seq_1_to_3000; insert into m select seq, repeat('x',900) from seq_1_to_2000; insert into ar select * from m; insert into arch select a from m; insert into mem select a from m; insert into cs select a from m; insert into part select a from m; insert into comp select * from m; insert into enc select * from m; insert into rowc select * from m; delete from m where a%2; optimize table m, t, arch; repair table m, ar, cs; check table t extended, m; analyze table t persistent for all; alter table t add d int, algorithm=instant; alter table t add index(d), algorithm=inplace; alter table t engine=aria; alter table t engine=innodb; alter table part exchange partition p0 with table none; alter table part reorganize partition; truncate part; alter table ext discard tablespace; rename table comp to comp2; drop table comp2"
q "use d; select * from t into outfile '/tmp/my/out/t'; load data infile '/tmp/my/out/t' replace into table t; load data local infile '/tmp/my/out/t' ignore into table t; select load_file('/etc/passwd'); select b from t limit 1 into dumpfile '/tmp/my/out/d'; set sort_buffer_size=32768, join_buffer_size=1024, tmp_table_size=1024, max_heap_table_size=16384; select sql_no_cache x.c, count(*) from t x join t y on x.c<y.c where x.a<60 group by 1 order by 2; select distinct b from t order by b desc; select * from t where match(b) against('a*' in boolean mode)"
q "use d; create event ev on schedule every 1 second do insert into mem values(1); create trigger tr after insert on m for each row set @a=1; lock tables t write, m read local; unlock tables; flush tables with read lock; unlock tables; flush logs; flush tables t for export; unlock tables; backup stage start; backup stage flush; backup stage block_ddl; backup stage block_commit; backup stage end; purge binary logs to 'bin.000003'; show binlog events; show engine innodb status; show engine performance_schema status; select * from information_schema.disks; select * from information_schema.innodb_metrics; xa start 'x'; insert into t(b) values('x'); xa end 'x'; xa prepare 'x'; xa commit 'x'; select get_lock('a',1), sleep(0.2), benchmark(10,1), encrypt('a'), des_encrypt('a'), aes_encrypt('a','b'), compress('x'), uuid(), rand(), now(6), @@hostname; kill query 999; set global innodb_buffer_pool_size=12582912; set global innodb_buffer_pool_dump_now=1; set global innodb_buffer_pool_load_now=1; set global innodb_log_file_size=5242880; set global innodb_encrypt_tables=on; set global key_buffer_size=2000000; install soname 'type_mysql_json'; uninstall plugin handlersocket; set global general_log_file='/tmp/my/general2'; set global thread_pool_size=3; create function nope returns integer soname 'none.so'; shutdown wait for all slaves;" & sleep 6
mariadb -h x.test -P 3401 -u r -pPass-word9 --ssl -e 'status' >/dev/null 2>&1; mariadb -h 127.0.0.1 -P 3401 -u p -px -e 1; mariadb -h 127.0.0.1 -P 3401 -u e -pSecret-1 -C -e 'select 1'; mariadb -h 127.0.0.1 -P 3402 -u nobody -e 1; printf 'P\t1\td\tm\t\ta\n1\t=\t1\t5\n' | nc -q1 127.0.0.1 9998; (mariadb -S /tmp/my/s2 -e 'show all slaves status; stop slave; reset slave; show processlist; flush hosts; select sleep(9)' >/dev/null 2>&1 & sleep 0.7; kill $!); mariadb-dump -S /tmp/my/s2 --all-databases --single-transaction --flush-logs >/dev/null 2>&1; wait %4 2>/dev/null
kill -HUP $two; sleep 0.3; kill -STOP $two; sleep 0.2; kill -CONT $two; kill -9 $one $two; sleep 1
for m in fsync O_DSYNC littlesync nosync O_DIRECT O_DIRECT_NO_FSYNC; do mariadbd --defaults-file=/tmp/my/conf --datadir=/tmp/my/a --socket=/tmp/my/s1 --port=3401 --server-id=1 --innodb-flush-method=$m --innodb-use-native-aio=$([ $m = fsync ] && echo 0 || echo 1) $([ $m = O_DSYNC ] && echo "--large-pages --memlock --thread-handling=one-thread-per-connection --log-output=NONE --performance-schema=0 --skip-networking --innodb-read-only=0") & one=$!; for i in 1 2 3 4 5 6; do sleep 0.6; q 'select 1' && break; done; q "use d; insert into t(b) select uuid() from seq_1_to_200; flush tables; select count(*) from t"; kill -TERM $one; for i in 1 2 3 4 5 6; do kill -0 $one 2>/dev/null || break; sleep 0.5; done; kill -9 $one 2>/dev/null; done
echo 'select 1;' | mariadbd --defaults-file=/tmp/my/conf --datadir=/tmp/my/b --bootstrap --user=mysql; mkdir -p my/ch; timeout 5 mariadbd --user=mysql --chroot=/tmp/my --datadir=/b --socket=/s3 --skip-networking --lc-messages-dir=/; mariadbd --no-defaults --help --verbose >/dev/null; mariadbd --version; timeout 5 mariadbd --defaults-file=/tmp/my/conf --datadir=/tmp/none; timeout 6 mariadbd --defaults-file=/tmp/my/conf --datadir=/tmp/my/b --wsrep-recover; kill $dns

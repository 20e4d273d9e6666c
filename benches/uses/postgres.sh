# COPY to files and programs, large objects, tablespaces, archiving, replication with a second server, parallel and compiled
# queries, extensions, foreign data over TLS, every way to write the log that the settings name, advisory locks, two-phase
# commit, crash recovery, single-user mode (postgresql.org/docs/15).
cd /tmp; P=/usr/lib/postgresql/15/bin; rm -rf p2; mkdir p2 p2/ts p2/arch p2/out; chown -R postgres p2; as="setpriv --reuid=postgres --regid=postgres --init-groups"
echo nameserver 127.0.0.1 > /etc/resolv.conf; dnsmasq -k -x /tmp/p2.dns -p 53 --address=/x.test/127.0.0.1 --no-resolv & dns=$!
$as $P/initdb -A trust -k -D /tmp/p2/d --wal-segsize=1 >/dev/null
openssl req -x509 -newkey rsa:2048 -nodes -keyout p2/d/server.key -out p2/d/server.crt -subj /CN=x.test -days 9 2>/dev/null; chown postgres p2/d/server.*; chmod 600 p2/d/server.key
cat >> p2/d/postgresql.conf <<C
port = 5499
listen_addresses = 'localhost,x.test'
unix_socket_directories = '/tmp/p2,/tmp/p2/out'
unix_socket_permissions = 0770
unix_socket_group = 'postgres'
ssl = on
huge_pages = try
shared_preload_libraries = 'pg_stat_statements,auto_explain,pg_prewarm'
archive_mode = on
archive_command = 'cp %p /tmp/p2/arch/%f'
archive_timeout = 1
wal_level = logical
max_prepared_transactions = 4
logging_collector = on
log_destination = 'stderr,csvlog,jsonlog,syslog'
log_statement = all
log_duration = on
log_rotation_size = 10kB
log_connections = on
log_hostname = on
log_line_prefix = '%m %h %r %p %x'
log_temp_files = 0
log_executor_stats = on
fsync = on
wal_compression = lz4
synchronous_commit = remote_apply
wal_writer_flush_after = 1
bgwriter_flush_after = 64
checkpoint_flush_after = 32
backend_flush_after = 16
wal_recycle = off
wal_init_zero = on
checkpoint_timeout = 30s
bonjour = off
autovacuum_naptime = 1
autovacuum_vacuum_threshold = 1
temp_file_limit = 1GB
work_mem = 64kB
maintenance_work_mem = 1MB
jit_above_cost = 0
jit_inline_above_cost = 0
jit_optimize_above_cost = 0
effective_io_concurrency = 8
recovery_prefetch = on
update_process_title = on
tcp_keepalives_idle = 9
tcp_user_timeout = 9000
client_connection_check_interval = 300
krb_server_keyfile = '/tmp/none'
max_stack_depth = 1MB
C
printf 'host all other 127.0.0.1/32 pam\nhostssl all r 127.0.0.1/32 scram-sha-256\nhost all who samenet ident\nhost all all x.test trust\nlocal replication all trust\n' > p2/d/pg_hba.head; cat p2/d/pg_hba.conf >> p2/d/pg_hba.head; mv p2/d/pg_hba.head p2/d/pg_hba.conf; chown postgres p2/d/*
export HOME=/tmp/p2
$as $P/postgres -D /tmp/p2/d & db=$!
q() { echo "$1" | psql -h /tmp/p2 -p 5499 -U postgres -qAt postgres >/dev/null 2>>/tmp/p2/psql; }
for i in 1 2 3 4 5 6 7 8 9; do sleep 0.7; q 'select 1' && break; done
q "create table t(a int, b text, c timestamptz default now()); insert into t select i, repeat(i::text,20) from generate_series(1,40000) i; alter table t set (parallel_workers=2); create index on t(a); create index on t using hash(b); create index on t using brin(c); vacuum analyze t"
q "create tablespace ts location '/tmp/p2/ts'"; q "create table u tablespace ts as select * from t; cluster t using t_a_idx; reindex table t; truncate u; alter table u set tablespace pg_default; drop table u"; q "drop tablespace ts"
q "copy t to program 'cat >/tmp/p2/out/prog'"; q "copy t to '/tmp/p2/out/copy' csv"; q "create table v(like t); copy v from '/tmp/p2/out/copy' csv; copy v from program 'cat /tmp/p2/out/copy' csv"; q "select lo_import('/etc/passwd', 4242); "; q "select lo_export(4242, '/tmp/p2/out/lo'); select lo_unlink(4242)"
q "set parallel_setup_cost=0; set parallel_tuple_cost=0; set min_parallel_table_scan_size=0; set force_parallel_mode=on; explain analyze select count(*), sum(length(b)) from t a join v b using(b) group by a.c order by 1"; q "set jit=on; select sum(a*2+1) from t where a%7=3"; q "select * from t order by b desc, a"; q "create index concurrently on t(b,a)"
for e in pgcrypto dblink postgres_fdw file_fdw adminpack pg_trgm hstore xml2 uuid-ossp pageinspect pg_buffercache pg_prewarm amcheck sslinfo pg_walinspect pgstattuple unaccent; do q "create extension \"$e\""; done
q "select gen_random_bytes(9), crypt('x', gen_salt('bf')), uuid_generate_v1(), uuid_generate_v4(); select pg_prewarm('t'), pg_prewarm('t','prefetch'); select autoprewarm_dump_now(); select bt_index_check('t_a_idx')"; q "select pg_file_write('out1','x',false); select pg_file_rename('out1','out2'); select pg_file_sync('out2'); select pg_file_unlink('out2')"; q "select * from dblink('host=x.test port=5499 dbname=postgres user=postgres sslmode=require','select 1') as x(a int)"; q "select pg_read_file('/etc/passwd'), pg_ls_dir('.'), pg_stat_file('/etc/passwd'), pg_ls_logdir(), pg_ls_tmpdir(), pg_current_logfile(), pg_size_pretty(pg_database_size('postgres')), pg_tablespace_size('pg_default'); select * from pg_stat_ssl; select * from pg_hba_file_rules; select * from pg_config; select xpath('/a', '<a/>'), pg_sleep(0.1), clock_timestamp(), inet_server_addr(), inet_client_port()"
q "begin; insert into t values(0); prepare transaction 'a'"; q "checkpoint"; q "commit prepared 'a'"; q "select pg_advisory_lock(1); select pg_switch_wal(); select pg_create_restore_point('x'); select pg_export_snapshot(); listen x; notify x, 'y'; create database other template template0 strategy file_copy; create database third strategy wal_log"; q "alter database other set tablespace pg_default"; q "drop database third"
for m in fdatasync fsync open_sync open_datasync; do q "alter system set wal_sync_method=$m"; q "select pg_reload_conf()"; sleep 0.2; q "insert into t select i from generate_series(1,5000) i; checkpoint"; done; q "alter system set fsync=off"; q "select pg_reload_conf()"; q "insert into t values(1); checkpoint; alter system reset all"; q "select pg_reload_conf(); select pg_rotate_logfile(); create role other login; create role who login; create role r login password 'p'"
psql "host=127.0.0.1 port=5499 user=r password=p dbname=postgres sslmode=require" -qAtc 'select * from t' >/dev/null; psql "host=x.test port=5499 user=other password=x dbname=postgres" -c 'select 1'; (echo 'begin; select pg_sleep(9);' | timeout -s INT 1 psql -h /tmp/p2 -p 5499 -U postgres); q "select pg_cancel_backend(pid), pg_terminate_backend(pid) from pg_stat_activity where pid<>pg_backend_pid() and backend_type='client backend'; select pg_log_backend_memory_contexts(pid) from pg_stat_activity limit 3"
# A copy of it that follows, physically and logically.
$as $P/pg_basebackup -h /tmp/p2 -p 5499 -U postgres -D /tmp/p2/s -X stream -R -C -S slot --checkpoint=fast; sed -i "s/^port = .*/port = 5498/; s/^archive_mode.*/restore_command = 'cp \/tmp\/p2\/arch\/%f %p'/; s/^listen.*/listen_addresses=''/; s/^unix_socket_d.*/unix_socket_directories='\/tmp\/p2'/" p2/s/postgresql.conf; echo 'hot_standby_feedback=on
dynamic_shared_memory_type=sysv
shared_memory_type=sysv
recovery_init_sync_method=syncfs' >> p2/s/postgresql.conf
$as $P/postgres -D /tmp/p2/s & standby=$!; sleep 2.5; q "insert into t values(7); create publication p for table v"; q "begin; lock t; drop index t_a_idx; commit; vacuum full t"; psql -h /tmp/p2 -p 5498 -U postgres -Atc 'select count(*) from t; select pg_is_in_recovery(), pg_last_wal_replay_lsn(); select pg_promote()' postgres; sleep 2; psql -h /tmp/p2 -p 5498 -U postgres postgres -c 'truncate v'; psql -h /tmp/p2 -p 5498 -U postgres postgres -c "create subscription s connection 'host=/tmp/p2 port=5499 user=postgres dbname=postgres'"; q 'insert into v values(9)'; sleep 1; psql -h /tmp/p2 -p 5498 -U postgres postgres -c "set force_parallel_mode=on; select count(*) from t; drop subscription s"; kill -INT $standby
kill -STOP $db; sleep 0.2; kill -CONT $db; kill -9 $(ps -o pid= --ppid $db | tail -1); sleep 3; q 'select count(*) from t'; kill -QUIT $db; sleep 1; for m in posix sysv mmap; do sed -i '/^dynamic_shared/d' p2/d/postgresql.conf; echo "dynamic_shared_memory_type = $m" >> p2/d/postgresql.conf; $as $P/postgres -D /tmp/p2/d -c recovery_init_sync_method=syncfs -c huge_pages=off & db=$!; sleep 2.5; q "set force_parallel_mode=on; select count(*) from t"; kill -TERM $db; sleep 1.5; done
echo 'select 1; vacuum full t;' | $as $P/postgres --single -D /tmp/p2/d -F postgres; $as $P/postgres --boot --help; $as $P/postgres -D /tmp/p2/d -C shared_buffers; $P/postgres --version; $P/postgres --describe-config; $P/postgres -D /tmp/p2/d; kill $dns

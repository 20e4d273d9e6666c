cd /tmp
rm -f q.db
sqlite3 q.db '.timeout 100' 'pragma journal_mode=wal; create table t(a); begin exclusive; insert into t values(randomblob(99999)); commit; pragma wal_checkpoint(truncate); pragma mmap_size=9999999; select count(*) from t; pragma temp_store=1; create temp table x as select * from t; pragma threads=2; create index i on t(a); pragma locking_mode=exclusive; attach "q2.db" as z; .import /etc/passwd pw' '.save q3.db' '.cd /' '.once -x' '.system id' '.archive -l' '.excel' '.timer on' "select writefile('/tmp/wf',1), readfile('/etc/passwd') is null, edit('a','true')" "select * from fsdir('/etc/default')"
sqlite3 -A -cf q.ar /etc/default
sqlite3 -A -xf q.ar
sqlite3 -readonly q.db '.dbinfo'
sqlite3 :memory: 'select 1'
script -qc 'sqlite3 /tmp/q.db .quit' /dev/null </dev/null

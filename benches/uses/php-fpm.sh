# Pools of each kind under a web server: dynamic, static, on demand; a chroot, an account, process priority, a slow log with
# traces of the stack, limits, the status pages, the code cache; every signal of php-fpm(8), daemon mode. The scripts use what
# php.net's manual says of files, sockets, processes and shared memory.
cd /tmp; rm -rf pf; mkdir -p pf/www pf/sess pf/oc; chmod 777 pf pf/*; ulimit -n 1024; head -c 2000000 /dev/zero > pf/www/big
echo nameserver 127.0.0.1 > /etc/resolv.conf; dnsmasq -k -x /tmp/pf/dns -p 53 --address=/x.test/127.0.0.1 --no-resolv --user=root & dns=$!
cat > pf/www/a.php <<'C'
<?php session_start(); $_SESSION['a']=1; setlocale(LC_ALL,'C'); $d='/tmp/pf/d'.getmypid(); mkdir($d); chmod($d,0755); touch("$d/a",1e9); symlink("$d/a","$d/l"); link("$d/a","$d/h"); readlink("$d/l"); lstat("$d/l"); rename("$d/h","$d/i"); copy("$d/a","$d/c"); copy('/tmp/pf/www/big',"$d/b"); $f=fopen("$d/a",'r+'); flock($f,LOCK_EX); fwrite($f,str_repeat('x',9000)); ftruncate($f,9); fflush($f); fsync($f); fdatasync($f); fseek($f,1); fread($f,3); stream_get_contents($f); fclose($f); umask(); disk_free_space('/'); glob("$d/*"); foreach (scandir($d) as $x) @unlink("$d/$x"); chdir($d); getcwd(); chdir('/'); rmdir($d); is_writable('/tmp'); is_executable('/bin/sh'); fileowner('/etc/passwd'); tempnam('/tmp','x'); tmpfile(); realpath('/tmp/../tmp'); @chown('/tmp/pf/x',33); @lchown('/tmp/pf/x',33); posix_mkfifo("/tmp/pf/f".getmypid(),0600); unlink("/tmp/pf/f".getmypid());
exec('true'); $p=proc_open('cat',[['pipe','r'],['pipe','w']],$pi); fwrite($pi[0],'x'); fclose($pi[0]); proc_get_status($p); proc_terminate($p); proc_close($p); mail('a@x.test','s','b'); posix_getpwnam('root'); foreach (['getpid','getppid','getuid','geteuid','getgid','getegid','getgroups','getpgrp','uname','times','ctermid','getcwd','getlogin','getrlimit'] as $x) ("posix_$x")(); posix_getsid(0); posix_getpgid(0); posix_isatty(0); @posix_kill(getmypid(),0); getrusage(); sys_getloadavg(); gethostname(); gethostbyname('x.test'); gethostbyaddr('127.0.0.1'); dns_get_record('x.test',DNS_A); usleep(10); time_nanosleep(0,5); hrtime(); microtime(); random_bytes(8); php_uname();
$s=stream_socket_server('tcp://127.0.0.1:0'); $c=stream_socket_client('tcp://'.stream_socket_get_name($s,false)); $a=stream_socket_accept($s); fwrite($c,'x'); stream_set_blocking($a,false); $r=[$a];$w=$e=null; stream_select($r,$w,$e,0,100); stream_socket_recvfrom($a,9); stream_socket_sendto($a,'y'); stream_socket_shutdown($a,STREAM_SHUT_RDWR); stream_socket_pair(STREAM_PF_UNIX,STREAM_SOCK_STREAM,0); $k=socket_create(AF_INET,SOCK_DGRAM,0); socket_set_option($k,SOL_SOCKET,SO_REUSEADDR,1); socket_get_option($k,SOL_SOCKET,SO_REUSEADDR); socket_bind($k,'127.0.0.1',0); socket_getsockname($k,$h,$po); socket_sendto($k,'x',1,0,$h,$po); socket_recvfrom($k,$b,9,0,$h,$po); $m=['name'=>[],'buffer_size'=>9]; @socket_recvmsg($k,$m,MSG_DONTWAIT); @socket_sendmsg($k,['iov'=>['x'],'name'=>['addr'=>'127.0.0.1','port'=>$po]],0); socket_connect($k,'127.0.0.1',$po); socket_getpeername($k,$h); socket_write($k,'x'); socket_recv($k,$b,1,0); $r=[$k]; socket_select($r,$w,$e,0,9); socket_shutdown($k); socket_close($k);
$i=shmop_open(4242,'c',0644,99); shmop_write($i,'x',0); shmop_delete($i); $q=msg_get_queue(42); msg_send($q,1,'x'); msg_receive($q,1,$t,99,$m,true); msg_stat_queue($q); msg_set_queue($q,['msg_qbytes'=>9000]); msg_remove_queue($q); $z=sem_get(42); sem_acquire($z); sem_release($z); sem_remove($z); $y=shm_attach(43); shm_put_var($y,1,2); shm_remove($y);
opcache_get_status(); opcache_invalidate(__FILE__); opcache_reset(); readfile('/tmp/pf/www/big'); set_time_limit(2); syslog(LOG_INFO,'x'); error_log('x'); iconv('UTF-8','ISO-8859-1','x'); gettext('x'); filter_var('a@b.c',FILTER_VALIDATE_EMAIL); simplexml_load_string('<a/>'); if (isset($_GET['slow'])) sleep(3); if (isset($_GET['loop'])) { set_time_limit(1); for(;;); } if (isset($_GET['mem'])) { $v=[]; for(;;) $v[]=str_repeat('x',1e6); } fastcgi_finish_request();
C
cat > pf/conf <<C
[global]
pid = /tmp/pf/pid
error_log = /tmp/pf/log
log_level = debug
syslog.ident = fpm
emergency_restart_threshold = 9
process_control_timeout = 1
process.priority = -3
daemonize = yes
rlimit_files = 900
rlimit_core = 0
events.mechanism = epoll
[dyn]
user = www-data
group = www-data
listen = /tmp/pf/dyn
listen.owner = www-data
listen.mode = 0660
listen.acl_users = www-data
listen.backlog = 9
pm = dynamic
pm.max_children = 4
pm.start_servers = 1
pm.min_spare_servers = 1
pm.max_spare_servers = 2
pm.max_requests = 9
pm.status_path = /status
ping.path = /ping
access.log = /tmp/pf/access
access.format = "%R %u %t %C %M %f"
slowlog = /tmp/pf/slow
request_slowlog_timeout = 1s
request_slowlog_trace_depth = 5
request_terminate_timeout = 5s
catch_workers_output = yes
decorate_workers_output = yes
clear_env = no
process.dumpable = yes
php_admin_value[memory_limit] = 30M
php_value[session.save_path] = /tmp/pf/sess
[static]
user = nobody
group = nogroup
listen = x.test:9901
listen.allowed_clients = 127.0.0.1
pm = static
pm.max_children = 1
process.priority = 5
chdir = /tmp
[demand]
user = www-data
group = www-data
chroot = /tmp/pf
listen = /tmp/pf/demand
listen.owner = www-data
pm = ondemand
pm.max_children = 2
pm.process_idle_timeout = 1s
C
cat > pf/ng <<C
user www-data; pid /tmp/pf/ngpid; error_log /dev/null; events {} http { access_log off; server { listen 8990; root /tmp/pf/www;
location /t/ { include /etc/nginx/fastcgi_params; fastcgi_param SCRIPT_FILENAME /tmp/pf/www/a.php; fastcgi_pass 127.0.0.1:9901; } location /d/ { include /etc/nginx/fastcgi_params; fastcgi_param SCRIPT_FILENAME /www/a.php; fastcgi_pass unix:/tmp/pf/demand; } location / { include /etc/nginx/fastcgi.conf; fastcgi_keep_conn on; fastcgi_pass unix:/tmp/pf/dyn; client_max_body_size 9m; } } }
C
nginx -c /tmp/pf/ng; php-fpm8.2 -y /tmp/pf/conf -tt; php-fpm8.2 -y /tmp/pf/conf; sleep 1.5
use() { u=http://127.0.0.1:8990; for p in a.php a.php ping status status?full none.php t/a d/a d/b; do curl -s -m 5 $u/$p -o /dev/null; done; curl -s -m 5 -F f=@pf/www/big $u/a.php -o /dev/null; curl -s -m 5 $u/a.php?slow=1 -o /dev/null & curl -s -m 8 $u/a.php?loop=1 -o /dev/null; curl -s -m 5 $u/a.php?mem=1 -o /dev/null; ab -q -n 30 -c 6 $u/a.php >/dev/null; sleep 2; }
use; kill -USR1 $(cat pf/pid); sleep 0.3; kill -USR2 $(cat pf/pid); sleep 2; use; kill -9 $(ps -o pid= --ppid $(cat pf/pid) | head -1); sleep 0.6; kill -QUIT $(cat pf/pid); sleep 2
for m in poll select port; do sed "s/events.mech.*/events.mechanism = $m/; s/^daemonize.*/daemonize = no/; s/^error_log.*/error_log = syslog/" pf/conf > pf/conf2; php-fpm8.2 -y /tmp/pf/conf2 -R -d opcache.file_cache=/tmp/pf/oc -d opcache.jit=tracing -d opcache.jit_buffer_size=9M -d opcache.lockfile_path=/tmp/pf -d opcache.huge_code_pages=1 -d opcache.memory_consumption=16 -d opcache.enable_cli=1 & m2=$!; sleep 1.2; curl -s -m 5 http://127.0.0.1:8990/a.php http://127.0.0.1:8990/d/a -o /dev/null; kill -INT $m2; sleep 0.6; kill -9 $m2; done
php-fpm8.2 -i >/dev/null; php-fpm8.2 -m; php-fpm8.2 -v; php-fpm8.2 -h; kill $(cat pf/ngpid) $dns

# Two workers bound to processors, threads, caches, stores, WebDAV, proxies to itself, syslog; then reload, reopening
# of logs, and the upgrade of the running binary (nginx.org/en/docs/control.html).
cd /tmp; rm -rf ng; mkdir -p ng/www ng/dav ng/store; chmod 777 ng ng/*; head -c 4000000 /dev/zero > ng/www/big; echo hi > ng/www/a; mkdir ng/www/dir
echo nameserver 127.0.0.1 > /etc/resolv.conf
dnsmasq -k -x /tmp/ng/dns -p 53 --address=/x.test/127.0.0.1 --no-resolv & dns=$!
openssl req -x509 -newkey rsa:2048 -nodes -keyout ng/k.pem -out ng/c.pem -subj /CN=x.test -days 9 2>/dev/null
socat -u UNIX-RECV:/tmp/ng/log,mode=777 /dev/null & log=$!; sleep 0.5
cat > ng/conf <<C
user www-data;
worker_processes 2;
worker_priority -5;
worker_cpu_affinity auto;
worker_rlimit_nofile 900;
worker_rlimit_core 1m;
worker_shutdown_timeout 2s;
working_directory /tmp;
timer_resolution 100ms;
thread_pool default threads=3;
pid /tmp/ng/pid;
lock_file /tmp/ng/lock;
error_log /tmp/ng/error.log info;
events { worker_connections 200; multi_accept on; accept_mutex on; debug_connection 127.0.0.1; }
http {
  include /etc/nginx/mime.types;
  resolver 127.0.0.1 valid=1s;
  sendfile on; tcp_nopush on; gzip on;
  open_file_cache max=9 inactive=2s; open_file_cache_valid 1s;
  access_log /tmp/ng/access.gz combined gzip flush=1s;
  access_log /tmp/ng/\$server_addr.log combined;
  access_log syslog:server=unix:/tmp/ng/log,nohostname combined;
  proxy_cache_path /tmp/ng/cache levels=1:2 keys_zone=one:1m inactive=1s max_size=1m manager_files=1 loader_files=1 use_temp_path=off;
  limit_req_zone \$binary_remote_addr zone=lim:1m rate=100r/s;
  upstream u { zone u 64k; server x.test:8171 weight=2; server unix:/tmp/ng/sock backup; keepalive 4; }
  server { listen 8170 reuseport so_keepalive=on backlog=99; listen 8172 ssl http2; listen [::1]:8170; server_name x.test;
    ssl_certificate /tmp/ng/c.pem; ssl_certificate_key /tmp/ng/k.pem; ssl_session_cache shared:s:1m; ssl_stapling off;
    root /tmp/ng/www; add_header X \$server_addr; ssi on; client_max_body_size 20m;
    location / { autoindex on; limit_req zone=lim burst=50; }
    location /threads/ { alias /tmp/ng/www/; aio threads; aio_write on; sendfile off; }
    location /direct/ { alias /tmp/ng/www/; directio 512; sendfile off; output_buffers 1 64k; }
    location /mixed/ { alias /tmp/ng/www/; aio threads; directio 5m; sendfile on; read_ahead 64k; open_file_cache off; }
    location /dav/ { root /tmp/ng; dav_methods PUT DELETE MKCOL COPY MOVE; create_full_put_path on; dav_access all:rw; client_body_temp_path /tmp/ng/body 1 2; }
    location /other/ { root /run; dav_methods PUT MOVE COPY DELETE MKCOL; create_full_put_path on; }
    location /p/ { proxy_pass http://u/; proxy_cache one; proxy_cache_valid any 1s; proxy_cache_lock on; proxy_buffers 4 4k; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_cache_revalidate on; proxy_cache_use_stale updating; }
    location /q/ { proxy_pass http://u/; proxy_store /tmp/ng/store/\$uri; proxy_store_access user:rw all:r; proxy_temp_path /tmp/ng/temp; aio threads; aio_write on; }
    location /big/ { proxy_pass http://u/; proxy_buffers 4 4k; proxy_max_temp_file_size 1m; proxy_temp_file_write_size 16k; proxy_temp_path /tmp/ng/temp; limit_rate 3m; }
    location /r/ { set \$up x.test; proxy_pass http://\$up:8171/; proxy_socket_keepalive on; proxy_bind 127.0.0.1; }
    location /rand/ { alias /tmp/ng/www/; random_index on; }
    location /t/ { proxy_pass http://127.0.0.1:8171/; proxy_bind 127.0.0.1 transparent; }
    location /up { proxy_pass http://u/; client_body_in_file_only clean; client_body_buffer_size 1k; proxy_request_buffering on; }
    location /perm { return 301 /; } location /stub { stub_status; } location /empty { return 444; }
    location /auth { auth_basic x; auth_basic_user_file /tmp/ng/pw; }
    error_page 404 /a;
  }
  server { listen 8171; listen unix:/tmp/ng/sock; root /tmp/ng/www; access_log off; gzip_static on; lingering_close always; location / { gunzip on; etag on; } }
}
C
printf 'x:%s\n' "$(openssl passwd -1 y)" > ng/pw
mkdir -p /run/other; chmod 777 /run/other
nginx -c /tmp/ng/conf -t; /usr/sbin/nginx -c /tmp/ng/conf; sleep 1
use() {
  u=http://127.0.0.1:8170
  for p in a big dir dir/ none threads/big direct/big mixed/big p/big p/a p/a q/big r/a rand/ t/a perm stub empty big/big up; do curl -s -m 8 $u/$p -o /dev/null; done
  curl -s --interface 127.0.0.1 -m 9 -r 5-9,11-19 $u/threads/big -o /dev/null
  curl -s -m 5 --data-binary @ng/www/big $u/up -o /dev/null; curl -s -u x:y $u/auth/; curl -s -m 5 -d x=y $u/p/a
  curl -s -T ng/www/big $u/dav/n/big; curl -s -X MKCOL $u/dav/m/; curl -s -X COPY -H "Destination: $u/dav/m/c" $u/dav/n/big; curl -s -X MOVE -H "Destination: $u/dav/m/d" $u/dav/n/big; curl -s -X COPY -H "Destination: $u/dav/m2/" $u/dav/m/; curl -s -X MOVE -H "Destination: $u/dav/m3/" $u/dav/m2/; curl -s -X DELETE $u/dav/m/; curl -s -T ng/www/a -H 'Date: Tue, 05 Mar 2024 10:00:00 GMT' $u/dav/dated; curl -s -T ng/www/a $u/other/a; curl -s -X MOVE -H "Destination: $u/dav/moved" $u/other/a
  curl -sk -m 5 https://127.0.0.1:8172/a https://127.0.0.1:8172/big -o /dev/null; curl -s --http1.1 -k https://127.0.0.1:8172/threads/big -o /dev/null
  ab -q -n 40 -c 8 $u/threads/big >/dev/null; ab -q -k -n 40 -c 8 $u/p/a >/dev/null
}
use
nginx -c /tmp/ng/conf -s reopen; nginx -c /tmp/ng/conf -s reload; sleep 2
old=$(cat ng/pid); kill -USR2 $old; sleep 1; kill -WINCH $old; sleep 1; kill -HUP $old; sleep 1; kill -QUIT $old; sleep 1
curl -s http://127.0.0.1:8170/p/big -o /dev/null; sleep 3
nginx -c /tmp/ng/conf -s quit; sleep 2; nginx -c /tmp/ng/conf -s stop
# One process that is its own master.
sed "s/^user.*/daemon on; master_process off;/; s/ng.pid/ng\/pid2/" ng/conf > ng/conf2; nginx -c /tmp/ng/conf2; sleep 1; curl -s http://127.0.0.1:8170/a http://127.0.0.1:8170/p/a -m 4; kill $(cat ng/pid2); sleep 1
kill $dns $log

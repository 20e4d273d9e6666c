# mod_ssl, HTTP/2, CGI by both modules, WebDAV, caches, proxies, SSI, piped and rotated logs, suexec, each of the three MPMs,
# graceful restarts and stops (httpd.apache.org/docs/2.4/stopping.html).
cd /tmp; rm -rf ap; mkdir -p ap/www/dav ap/cgi ap/cache ap/mutex /run/apache2 /run/lock; head -c 3000000 /dev/urandom > ap/www/big; printf 'a <!--#exec cmd="true" --><!--#include virtual="/b.txt" --><!--#flastmod file="b.txt" -->' > ap/www/a.shtml; echo b > ap/www/b.txt; cp ap/www/b.txt ap/www/b.html
printf '#!/bin/sh\necho Content-type: text/plain; echo; env; echo oops >&2; cat\n' > ap/cgi/x; chmod 755 ap/cgi/x; chown -R www-data ap
printf 'x:%s\n' "$(openssl passwd -apr1 y)" > ap/pw; htdbm -bc ap/pwdbm x y
openssl req -x509 -newkey rsa:2048 -nodes -keyout ap/k.pem -out ap/c.pem -subj /CN=x.test -days 9 2>/dev/null
echo nameserver 127.0.0.1 > /etc/resolv.conf; dnsmasq -k -x /tmp/ap/dns -p 53 --address=/x.test/127.0.0.1 --no-resolv & dns=$!
conf() {
cat <<C
ServerRoot /etc/apache2
LoadModule mpm_$1_module /usr/lib/apache2/modules/mod_mpm_$1.so
$(for m in authz_core authz_host authn_core authn_file authn_dbm auth_basic authz_user alias mime dir autoindex include filter deflate ssl socache_shmcb http2 dav dav_fs dav_lock cache cache_disk cache_socache file_cache proxy proxy_http proxy_fcgi proxy_balancer lbmethod_byrequests slotmem_shm proxy_hcheck watchdog proxy_connect proxy_http2 rewrite headers env setenvif status info unique_id usertrack mime_magic negotiation session session_cookie session_crypto ratelimit reqtimeout request actions asis allowmethods expires ext_filter speling userdir log_forensic $2; do [ -e /usr/lib/apache2/modules/mod_$m.so ] && echo LoadModule ${m}_module /usr/lib/apache2/modules/mod_$m.so; done)
User www-data
Group www-data
Listen 8181
Listen 8182 https
PidFile /tmp/ap/pid
ServerName x.test
HostnameLookups Double
EnableMMAP $3
EnableSendfile $4
Mutex $5
ScoreBoardFile /tmp/ap/score
CoreDumpDirectory /tmp
MaxRequestsPerChild 30
ErrorLog "|/usr/bin/rotatelogs /tmp/ap/error 10"
CustomLog "|/usr/bin/rotatelogs -l /tmp/ap/access.%H 60" "%h %l %u %t %r %D"
BufferedLogs On
ForensicLog /tmp/ap/forensic
TypesConfig /etc/mime.types
MIMEMagicFile magic
DavLockDB /tmp/ap/davlock
SSLSessionCache shmcb:/tmp/ap/ssl(512000)
SSLRandomSeed startup file:/dev/urandom 512
SSLRandomSeed connect exec:/bin/true
<IfModule cgid_module>
 ScriptSock /tmp/ap/cgisock
</IfModule>
AllowCONNECT 8182
CacheRoot /tmp/ap/cache
CacheEnable disk /b.txt
CacheEnable disk /px
CacheLock on
CacheSocache shmcb
CacheFile /tmp/ap/www/b.html
DocumentRoot /tmp/ap/www
RewriteEngine on
RewriteMap m prg:/bin/cat
RewriteRule ^/rw/(.*) /\${m:\$1} [PT]
ExtFilterDefine sum mode=output cmd=/usr/bin/md5sum
ScriptAlias /cgi/ /tmp/ap/cgi/
AddHandler server-parsed .shtml
AddOutputFilter INCLUDES .shtml
AddOutputFilterByType DEFLATE text/html
ProxyRequests On
ProxyPass /px/ http://x.test:8181/ connectiontimeout=2 retry=0
ProxyPass /ux/ unix:/tmp/ap/none|http://localhost/
<Proxy balancer://b>
 BalancerMember http://127.0.0.1:8181 hcmethod=TCP hcinterval=1
</Proxy>
ProxyPass /bal/ balancer://b/
<Directory /tmp/ap>
 Require all granted
 Options +Includes +ExecCGI +Indexes +FollowSymLinks +MultiViews
 AllowOverride All
</Directory>
<Location /dav>
 Dav On
</Location>
<Location /sum>
 SetOutputFilter sum
</Location>
<Location /priv>
 AuthType Basic
 AuthName x
 AuthBasicProvider file dbm
 AuthUserFile /tmp/ap/pw
 AuthDBMUserFile /tmp/ap/pwdbm
 Require valid-user
</Location>
<Location /status>
 SetHandler server-status
</Location>
<VirtualHost *:8182>
 Protocols h2 http/1.1
 SSLEngine on
 SSLCertificateFile /tmp/ap/c.pem
 SSLCertificateKeyFile /tmp/ap/k.pem
</VirtualHost>
C
}
use() {
  u=http://127.0.0.1:8181
  for p in b.txt b.txt a.shtml b.html big none '' dir/ cgi/x cgi/x?y px/b.txt px/big ux/ bal/b.txt rw/b.txt status sum b; do curl -s -m 5 $u/$p -o /dev/null; done
  curl -s -m 5 -d @ap/www/big $u/cgi/x -o /dev/null; curl -s -u x:y $u/priv -o /dev/null; curl -s -m 4 -r 9-99,200-300 $u/big -o /dev/null; curl -s -m 3 -x 127.0.0.1:8181 $u/b.txt -o /dev/null; curl -s -m 3 -p -k -x 127.0.0.1:8181 https://127.0.0.1:8182/ -o /dev/null; curl -s --compressed $u/b.html -o /dev/null
  curl -s -T ap/www/b.txt $u/dav/p; curl -s -X MKCOL $u/dav/m; curl -s -X COPY -H "Destination: $u/dav/m/c" $u/dav/p -o /dev/null; curl -s -X MOVE -H "Destination: $u/dav/m/d" $u/dav/p -o /dev/null; curl -s -X PROPFIND $u/dav/ -o /dev/null; curl -s -X LOCK -H 'Content-type: text/xml' -d '<?xml version="1.0"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockinfo>' $u/dav/l -o /dev/null;  curl -s -X PROPPATCH -H 'Content-type: text/xml' -d '<?xml version="1.0"?><D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><a>b</a></D:prop></D:set></D:propertyupdate>' $u/dav/m/c -o /dev/null; curl -s -X DELETE $u/dav/m -o /dev/null
  curl -sk --http2 https://127.0.0.1:8182/big https://127.0.0.1:8182/b.txt https://127.0.0.1:8182/cgi/x -o /dev/null; curl -sk --http1.1 https://127.0.0.1:8182/big -o /dev/null
  ab -q -n 50 -c 10 $u/b.txt >/dev/null
}
. /etc/apache2/envvars
conf prefork cgi off on sysvsem > ap/1.conf; conf worker cgid on off fcntl:/tmp/ap/mutex > ap/2.conf; conf event cgid off on posixsem > ap/3.conf; conf event cgi off on flock:/tmp/ap/mutex > ap/4.conf
for n in 1 2 3 4; do
  apache2 -f /tmp/ap/$n.conf -k start; sleep 1.5; use
  [ $n != 4 ] && { apache2 -f /tmp/ap/$n.conf -k graceful; sleep 1.5; curl -s http://127.0.0.1:8181/; }
  [ $n = 2 ] && { apache2 -f /tmp/ap/$n.conf -k restart; sleep 1; }
  apache2 -f /tmp/ap/$n.conf -k graceful-stop; sleep 2; kill $(cat ap/pid 2>/dev/null) 2>/dev/null
done
apache2 -f /tmp/ap/3.conf -X & one=$!; sleep 2; curl -s http://127.0.0.1:8181/big -o /dev/null; kill $one; sleep 1
apache2 -f /tmp/ap/3.conf -S; apache2 -M; apache2 -L; apache2 -V; kill $dns

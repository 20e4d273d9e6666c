# Workers, chroot, daemon, FastCGI and CGI, proxy, ssi, WebDAV-like methods are other packages: what lighttpd-modules has not
# to bring. Each event handler and network backend that its documentation names, graceful restart, logs reopened.
cd /tmp; rm -rf li; mkdir -p li/www/d li/up li/cache; head -c 3000000 /dev/urandom > li/www/big; echo a > li/www/a.html; printf '#!/bin/sh\necho Content-type: text/plain; echo; env; cat\n' > li/www/x.cgi; chmod 755 li/www/x.cgi; ln -s a.html li/www/l.html; chown -R www-data li
printf 'x:%s\n' y > li/pw; echo '<!--#exec cmd="true" --><!--#include virtual="/a.html" --><!--#flastmod file="a.html" -->' > li/www/s.shtml
echo nameserver 127.0.0.1 > /etc/resolv.conf; dnsmasq -k -x /tmp/li/dns -p 53 --address=/x.test/127.0.0.1 --no-resolv & dns=$!
for v in 1 2 3 4; do
case $v in
 1) more='server.event-handler = "linux-sysepoll" server.network-backend = "sendfile" server.max-worker = 2 server.stat-cache-engine = "simple" server.username = "www-data" server.groupname = "www-data" accesslog.filename = "|/usr/bin/tee /tmp/li/piped"' ;;
 2) more='server.event-handler = "poll" server.network-backend = "writev" server.errorlog-use-syslog = "enable" accesslog.use-syslog = "enable" server.stat-cache-engine = "inotify"' ;;
 3) more='server.event-handler = "select" server.network-backend = "write" server.stat-cache-engine = "disable" server.core-files = "enable" accesslog.filename = "/tmp/li/access"' ;;
 4) more='server.chroot = "/tmp/li" server.username = "www-data" server.max-fds = 500' ;;
esac
root=/tmp/li; [ $v = 4 ] && root=
cat > li/$v.conf <<C
server.modules = ("mod_access","mod_accesslog","mod_auth","mod_authn_file","mod_cgi","mod_fastcgi","mod_scgi","mod_proxy","mod_ssi","mod_status","mod_dirlisting","mod_alias","mod_redirect","mod_rewrite","mod_userdir","mod_expire","mod_extforward","mod_evhost","mod_rrdtool")
server.document-root = "$root/www"
server.port = 8282
server.pid-file = "/tmp/li/pid"
server.upload-dirs = ("$root/up")
server.errorlog = "/tmp/li/error"
server.breakagelog = "/tmp/li/breakage"
$more
dir-listing.activate = "enable"
mimetype.assign = (".html" => "text/html", ".css" => "text/css")
mimetype.use-xattr = "enable"
cgi.assign = (".cgi" => "")
ssi.extension = (".shtml")
server.follow-symlink = "disable"
server.stream-request-body = 0
server.max-keep-alive-idle = 1
\$HTTP["url"] =~ "^/px/" { proxy.server = ("" => (("host" => "127.0.0.1", "port" => 8282))) proxy.header = ("map-urlpath" => ("/px/" => "/")) }
\$HTTP["url"] =~ "^/pu/" { proxy.server = ("" => (("socket" => "/tmp/li/usock"))) proxy.header = ("map-urlpath" => ("/pu/" => "/")) }
\$HTTP["url"] =~ "^/priv/" { auth.backend = "plain" auth.backend.plain.userfile = "/tmp/li/pw" auth.require = ("" => ("method" => "basic", "realm" => "x", "require" => "valid-user")) }
\$HTTP["url"] =~ "^/fcgi/" { fastcgi.server = ("" => (("socket" => "/tmp/li/fsock", "bin-path" => "/bin/cat", "max-procs" => 1, "check-local" => "disable", "bin-environment" => ("A" => "b")))) }
\$SERVER["socket"] == "/tmp/li/usock" { server.socket-perms = "0777" }
\$HTTP["url"] == "/status" { status.status-url = "/status" }
alias.url = ("/doc/" => "/usr/share/doc/")
C
[ $v = 4 ] && sed -i '/fcgi/d; /rrdtool/!b' li/$v.conf
lighttpd -tt -f li/$v.conf; lighttpd -f li/$v.conf; sleep 1.5
u=http://127.0.0.1:8282
for p in a.html l.html big x.cgi x.cgi?a s.shtml d/ none px/a.html px/big pu/a.html pu/big status fcgi/x doc/; do curl -s -m 4 $u/$p -o /dev/null; done
curl -s -m 4 -d @li/www/big $u/x.cgi -o /dev/null;  curl -s -m 4 --data-binary @li/www/big -H 'Transfer-Encoding: chunked' $u/px/x.cgi -o /dev/null; curl -s -u x:y $u/priv/ -o /dev/null; curl -s -r 5-9,20-30 $u/big -o /dev/null; curl -s --compressed $u/a.html $u/a.html -o /dev/null; curl -s --limit-rate 900k $u/big -o /dev/null
(sleep 0.3; echo more >> li/www/a.html; mv li/www/d li/www/e; mkdir li/www/d; sleep 0.2; curl -s $u/a.html $u/d/)
ab -q -n 40 -c 8 $u/a.html >/dev/null
kill -HUP $(cat li/pid); sleep 0.5; kill -USR1 $(cat li/pid); sleep 2; curl -s $u/a.html; kill -INT $(cat li/pid); sleep 2; kill $(cat li/pid 2>/dev/null) 2>/dev/null; sleep 0.3
done
# On demand: it ends by itself when nobody asks, and started from inetd it takes its socket from there.
lighttpd -i 1 -f li/3.conf; sleep 4; lighttpd -V; lighttpd -p -f li/2.conf; lighttpd -1 -f li/3.conf </dev/null; kill $dns

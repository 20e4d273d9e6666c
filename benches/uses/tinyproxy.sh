# A daemon with accounts, log file, filter, upstream, Basic access, CONNECT, its own page, signals.
cd /tmp; rm -rf tp; mkdir -p tp/www; chmod 777 tp; head -c 2000000 /dev/zero > tp/www/big; echo nowhere > tp/filter
echo nameserver 127.0.0.1 > /etc/resolv.conf; dnsmasq -k -x /tmp/tp/dns -p 53 --address=/x.test/127.0.0.1 --no-resolv & dns=$!
printf 'server.document-root = "/tmp/tp/www"\nserver.port = 8599\n' > tp/l.conf; lighttpd -D -f tp/l.conf & back=$!
cat > tp/conf <<C
User tinyproxy
Group tinyproxy
Port 8501
Listen 127.0.0.1
Listen ::1
BindSame yes
Timeout 3
DefaultErrorFile "/usr/share/tinyproxy/default.html"
StatHost "tp.stats"
StatFile "/usr/share/tinyproxy/stats.html"
LogFile "/tmp/tp/log"
LogLevel Info
PidFile "/tmp/tp/pid"
XTinyproxy Yes
MaxClients 20
Allow 127.0.0.1
Allow x.test
Filter "/tmp/tp/filter"
FilterURLs On
FilterExtended On
Anonymous "Host"
ConnectPort 8599
ReversePath "/rev/" "http://127.0.0.1:8599/"
ReverseOnly No
ReverseMagic Yes
ViaProxyName "tp"
Upstream http 127.0.0.1:8502 "up.test"
Upstream socks5 127.0.0.1:8503 "socks.test"
C
tinyproxy -c tp/conf; sed 's/8501/8502/; s/tp.pid/tp\/pid2/; /^LogFile/d; s/^LogLevel.*/Syslog On/; /^Upstream/d; /^User/d; /^Group/d; s/^Allow x.*/BasicAuth a b/' tp/conf > tp/conf2; tinyproxy -c tp/conf2; sleep 1
for u in http://x.test:8599/big http://127.0.0.1:8599/none http://nowhere.test/ http://up.test:8599/ http://socks.test:8599/ http://tp.stats/ http://gone.invalid/ http://127.0.0.1:1/; do curl -s -m 3 -x 127.0.0.1:8501 $u -o /dev/null; curl -s -m 3 -x 127.0.0.1:8502 -U a:b $u -o /dev/null; done
curl -s -m 3 -p -x 127.0.0.1:8501 http://x.test:8599/big -o /dev/null; curl -s -m 3 http://127.0.0.1:8501/rev/big -o /dev/null; curl -s -d @tp/www/big -x 127.0.0.1:8501 http://x.test:8599/ -o /dev/null; curl -s -m 3 -x '[::1]:8501' http://x.test:8599/ -o /dev/null
printf 'GET / HTTP/1.0\r\n' | nc -w1 127.0.0.1 8501; ab -q -n 30 -c 6 -X 127.0.0.1:8501 http://x.test:8599/big >/dev/null
kill -HUP $(cat tp/pid); kill -USR1 $(cat tp/pid2); sleep 1; curl -s -m 3 -x 127.0.0.1:8501 http://x.test:8599/ -o /dev/null
kill $(cat tp/pid) $(cat tp/pid2); sleep 0.5; tinyproxy -v; tinyproxy -h; kill $back $dns

# Daemon with a chroot and an account, a local program behind a pty and one behind a pipe, client side, session caches, protocol
# negotiation, transparent source, log file, syslog, reload and reopening by signal (stunnel.org/static/stunnel.html).
cd /tmp; rm -rf st; mkdir -p st/chroot; chmod 777 st st/chroot
openssl req -x509 -newkey rsa:2048 -nodes -keyout st/k.pem -out st/c.pem -subj /CN=x.test -days 9 2>/dev/null; openssl dhparam -dsaparam 2048 >> st/c.pem 2>/dev/null
echo nameserver 127.0.0.1 > /etc/resolv.conf; dnsmasq -k -x /tmp/st/dns -p 53 --address=/x.test/127.0.0.1 --no-resolv & dns=$!
socat TCP-LISTEN:8499,fork,reuseaddr EXEC:cat & back=$!; sleep 0.3
cat > st/conf <<C
setuid = stunnel4
setgid = stunnel4
pid = /tmp/st/pid
output = /tmp/st/log
debug = debug
syslog = yes
socket = l:TCP_NODELAY=1
socket = r:SO_KEEPALIVE=1
RNDfile = /tmp/st/c.pem
[s]
accept = 8401
connect = x.test:8499
connect = 127.0.0.1:8499
delay = yes
cert = /tmp/st/c.pem
key = /tmp/st/k.pem
sessionCacheSize = 5
ident = root
retry = yes
[c]
client = yes
accept = 127.0.0.1:8402
connect = 127.0.0.1:8401
verifyChain = yes
CAfile = /tmp/st/c.pem
failover = rr
[exec]
accept = 8403
exec = /bin/cat
execArgs = cat
cert = /tmp/st/c.pem
key = /tmp/st/k.pem
[pty]
accept = 8404
exec = /bin/sh
execArgs = sh
pty = yes
cert = /tmp/st/c.pem
key = /tmp/st/k.pem
[unix]
client = yes
accept = /tmp/st/sock
connect = 127.0.0.1:8401
[smtp]
accept = 8406
connect = 127.0.0.1:8499
protocol = smtp
cert = /tmp/st/c.pem
key = /tmp/st/k.pem
[transparent]
accept = 8407
connect = 127.0.0.1:8499
transparent = source
cert = /tmp/st/c.pem
key = /tmp/st/k.pem
[psk]
accept = 8408
connect = 127.0.0.1:8499
PSKsecrets = /tmp/st/psk
ciphers = PSK
[socks]
accept = 8409
protocol = socks
cert = /tmp/st/c.pem
key = /tmp/st/k.pem
C
echo 'test:0123456789abcdef0123456789abcdef' > st/psk; chmod 600 st/psk
stunnel4 st/conf; sleep 1
use() {
for p in 8401 8403 8404 8407 8401; do (echo echo hi; sleep 0.3; echo exit; sleep 0.2) | timeout 3 openssl s_client -quiet -connect 127.0.0.1:$p >/dev/null 2>&1; done
(echo hi; sleep 0.3) | timeout 3 nc 127.0.0.1 8402 >/dev/null; (echo hi; sleep 0.3) | timeout 3 socat - UNIX:/tmp/st/sock >/dev/null; printf 'EHLO x\r\nSTARTTLS\r\n' | timeout 2 nc 127.0.0.1 8406; head -c 500000 /dev/zero | timeout 4 nc -N 127.0.0.1 8402 >/dev/null
for i in 1 2 3 4 5 6; do (sleep 1) | timeout 3 openssl s_client -connect 127.0.0.1:8401 >/dev/null 2>&1 & done; sleep 1.5; }
use; kill -HUP $(cat st/pid); sleep 0.5; kill -USR1 $(cat st/pid); sleep 0.3; kill -USR2 $(cat st/pid); use; kill $(cat st/pid); sleep 1
# In its own root, and as inetd's child.
sed 's/^setuid.*/chroot = \/tmp\/st\/chroot/; /^setgid/d; s/.tmp.st.pid/\/pid/; /^output/d; /exec/d; /^\[pty\]/,/^key/d' st/conf > st/conf2; stunnel4 st/conf2; sleep 1; use; kill $(cat st/chroot/pid); sleep 0.5
printf 'foreground = yes\nfips = no\nengine = auto\ncert = /tmp/st/c.pem\nkey = /tmp/st/k.pem\nexec = /bin/cat\n' > st/inetd; echo | timeout 3 stunnel4 st/inetd; stunnel4 -version; stunnel4 -sockets; stunnel4 -options
kill $dns $back

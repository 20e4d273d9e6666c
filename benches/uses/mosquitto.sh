# TLS, websockets, a unix socket, passwords and access lists, a bridge to itself, persistence, all kinds of logs, daemon mode, signals.
cd /tmp; rm -rf mo; mkdir mo; chmod 777 mo; openssl req -x509 -newkey rsa:2048 -nodes -keyout mo/k.pem -out mo/c.pem -subj /CN=x.test -days 9 2>/dev/null; chmod 644 mo/k.pem
echo nameserver 127.0.0.1 > /etc/resolv.conf; dnsmasq -k -x /tmp/mo/dns -p 53 --address=/x.test/127.0.0.1 --no-resolv & dns=$!
touch mo/pw; mosquitto_passwd -b mo/pw u p; printf 'user u\ntopic readwrite #\npattern read %%u/#\n' > mo/acl; printf 'psk:0123456789abcdef\n' > mo/psk; touch mo/log; chmod 666 mo/*
cat > mo/conf <<C
per_listener_settings true
user mosquitto
pid_file /tmp/mo/pid
log_dest file /tmp/mo/log
log_dest syslog
log_dest stderr
log_dest topic
log_type all
log_timestamp_format %Y
persistence true
persistence_location /tmp/mo/
autosave_interval 1
autosave_on_changes true
sys_interval 1
memory_limit 9000000
listener 1801
allow_anonymous true
socket_domain ipv4
listener 1802 127.0.0.1
cafile /tmp/mo/c.pem
certfile /tmp/mo/c.pem
keyfile /tmp/mo/k.pem
password_file /tmp/mo/pw
acl_file /tmp/mo/acl
listener 1803
protocol websockets
http_dir /usr/share/doc
allow_anonymous true
listener 0 /tmp/mo/sock
allow_anonymous true
listener 1804
psk_file /tmp/mo/psk
psk_hint x
listener 1805
bind_interface lo
allow_anonymous true
connection b
address x.test:1801 127.0.0.1:1802
topic a/# both 1
try_private false
restart_timeout 1
start_type automatic
C
mosquitto -c mo/conf -d; sleep 1.5
python3 - <<P
import socket,struct,ssl,time
def conn(name, flags=2, extra=b"", level=4):
    v=struct.pack(">H4sBBH",4,b"MQTT",level,flags,9)+(b"\0" if level==5 else b"")+struct.pack(">H",len(name))+name+extra
    return bytes([0x10,len(v)])+v
def sub(t): v=struct.pack(">HH",1,len(t))+t+b"\1"; return bytes([0x82,len(v)])+v
def pub(t,m,q=0,r=0):
    v=struct.pack(">H",len(t))+t+(struct.pack(">H",5) if q else b"")+m; n=len(v); l=b""
    while True:
        d=n%128; n//=128; l+=bytes([d|(128 if n else 0)])
        if not n: break
    return bytes([0x30|q<<1|r])+l+v
def talk(s):
    s.settimeout(1)
    try:
        for m in (conn(b"c%d"%id(s),0), sub(b"a/#"), pub(b"a/b",b"x"*100000,1,1), pub(b"a/c",b"y",2), b"\xc0\0"): s.sendall(m); time.sleep(0.1)
        s.recv(999999); s.sendall(b"\xe0\0"); s.close()
    except OSError: pass
talk(socket.create_connection(("127.0.0.1",1801))); talk(socket.create_connection(("127.0.0.1",1805)))
u=socket.socket(socket.AF_UNIX); u.connect("/tmp/mo/sock"); talk(u)
c=ssl._create_unverified_context(); s=c.wrap_socket(socket.create_connection(("127.0.0.1",1802))); s.sendall(conn(b"t",0xc2,b"\0\1u\0\1p")); time.sleep(0.2); s.sendall(sub(b"a/#")+pub(b"a/z",b"1",1)); s.settimeout(1); s.recv(99); s.close()
w=socket.create_connection(("127.0.0.1",1803)); w.sendall(b"GET /mqtt HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Version: 13\r\n\r\n"); time.sleep(0.3); w.recv(999); w.close()
P
curl -s -m 2 http://127.0.0.1:1803/ -o /dev/null; curl -s -m 2 http://127.0.0.1:1803/bash/README -o /dev/null; echo | timeout 1 openssl s_client -psk 0123456789abcdef -psk_identity psk -connect 127.0.0.1:1804 >/dev/null 2>&1
kill -USR1 $(cat mo/pid); kill -USR2 $(cat mo/pid); kill -HUP $(cat mo/pid); sleep 2; kill $(cat mo/pid); sleep 1; mosquitto -c mo/conf & m=$!; sleep 2; kill -STOP $m; sleep 0.1; kill -CONT $m; kill -INT $m; mosquitto -p 1806 & m=$!; sleep 0.5; kill $m; mosquitto -h; kill $dns

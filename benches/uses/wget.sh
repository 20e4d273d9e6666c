cd /tmp
(python3 -m http.server -d /etc/default 8087 >/dev/null 2>&1 & p=$!; sleep 1; wget -q -r -np -P wr http://127.0.0.1:8087/; wget -q -c -N -S http://127.0.0.1:8087/ -O - >/dev/null; wget -m -q -k -E http://localhost:8087/; wget --spider http://127.0.0.1:8087/none; wget --warc-file=ww -q http://127.0.0.1:8087/; kill $p)
wget -q -T 1 -t 1 https://127.0.0.1:1/
wget -q -T 1 -t 1 ftp://127.0.0.1:1/
wget -q --bind-address=127.0.0.1 -T1 -t1 http://127.0.0.1:1/

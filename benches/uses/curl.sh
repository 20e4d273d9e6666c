curl -s -o /tmp/cu2 --create-dirs --limit-rate 9k -z yesterday -R file:///etc/passwd
curl -s -T /etc/passwd http://127.0.0.1:1/
curl -sk https://127.0.0.1:1/
curl -s --unix-socket /tmp/none http://x/
curl -s ftp://127.0.0.1:1/
curl -s telnet://127.0.0.1:1 </dev/null
curl -s tftp://127.0.0.1:1/x -m 1
curl -s -c /tmp/cj -b /tmp/cj http://127.0.0.1:1/
curl -s --interface lo http://127.0.0.1:1/
curl -Z -s http://127.0.0.1:1/ http://127.0.0.1:2/
curl -s -C - -o /tmp/cu2 file:///etc/passwd
curl -s --retry 1 --retry-connrefused http://127.0.0.1:1/
true
(python3 -m http.server -d /usr/share 8088 >/dev/null 2>&1 & p=$!; sleep 1; exec 3>&2; curl -s http://127.0.0.1:8088/ -o /tmp/cu3; curl -s --compressed -L http://localhost:8088/doc -o /tmp/cu4; kill $p)

bash -c 'cd /tmp; exec 5<>bf; ulimit -n 512; ulimit -c 0; umask; wait; kill -l >/dev/null; times; set -o pipefail; cat <(echo a) >/dev/null; read -t 0.1 x < /dev/zero; exec 3>&1 4<&0; { echo a; echo b; } | while read l; do :; done; test -x /bin/sh; test -w /tmp; [[ -O /tmp ]]; printf -v y %(%s)T; mapfile -t z < /etc/passwd; echo /etc/*.conf >/dev/null; type ls; hash -r; suspend 2>/dev/null & kill $!; disown; pwd -P; cd -P /bin; echo ~root; getopts a b; let c=1; enable -f none none; echo $RANDOM $SRANDOM; echo > /dev/tcp/127.0.0.1/1; exec true' 2>/dev/null
script -qc 'bash -i -c "jobs; sleep 0.1 & fg; bg; stty -a; history"' /dev/null </dev/null
bash --version
bash -r -c 'echo x'
bash -lc true

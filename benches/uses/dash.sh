dash -c 'cd /tmp; exec 5<>df; ulimit -n 512; times; wait; kill -l; test -x /bin/sh; test -w /tmp; echo /etc/*.conf; type ls; getopts a b; { echo a; echo b; } | while read l; do :; done; sleep 0.1 & wait $!; echo $(pwd -P); cat <<X
here
X
exec true' >/dev/null 2>&1
script -qc 'dash -i -c "sleep 0.1 & jobs; fg"' /dev/null </dev/null

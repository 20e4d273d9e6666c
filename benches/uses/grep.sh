grep -z -a x /bin/ls
grep -f /etc/hostname /etc/passwd
grep -l -R --include=*.conf a /etc
grep -D skip x /dev/zero -m1
grep --color=always root /etc/passwd
grep -i -w -x -v -o -b -n -H -A1 root /etc/passwd
grep -q root /etc/passwd
grep x /none
grep -F -e a -e b /etc/passwd
grep -E '(a)\1' /etc/passwd
LC_ALL=C grep x /bin/bash
grep -r x /tmp/ca
grep x < /etc
cat /etc/passwd | grep -c root
grep -P '(?<=a)b' /etc/passwd
grep --line-buffered a /etc/passwd

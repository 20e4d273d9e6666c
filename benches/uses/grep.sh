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
# Trees with links, devices and binary files, lists of patterns, contexts, other locales, a terminal, a full disk, odd inputs.
cd /tmp; rm -rf gr; mkdir -p gr/d/e; seq 90000 > gr/a; ln -s ../a gr/d/l; mkfifo gr/fifo; cp /bin/true gr/bin; printf 'a\0b\n' > gr/nul; truncate -s 3M gr/hole; echo x >> gr/hole; printf '1\n22\n333\n' > gr/pats; chmod 0 gr/d/e
grep -rn 5 gr; grep -R 77 gr; grep -D skip -r 1 gr; grep -d recurse 9 gr; grep -f gr/pats gr/a; grep -F -x -f gr/pats -c gr/a; grep -E '(1|2)+3\b' gr/a; grep -P '(?<=1)2(?!3)' gr/a; grep -aob x gr/hole; grep -m 3 -A2 -B2 -C1 500 gr/a; grep -l 1 gr/*; grep -L 1 gr/*; grep -Z -l 1 gr/*; grep -z a gr/nul; grep -U x gr/bin; grep --binary-files=text ELF gr/bin; grep --include='*a' --exclude=b --exclude-dir=e -r 1 gr; grep -q 1 gr/a; grep -s x none; grep x none; seq 200000 | grep -m1 7; grep 1 < gr/a; grep -H --label=x 1 - < gr/a; grep 1 gr/a > gr/out; grep 1 gr/a gr/out >> gr/out; grep -r 1 gr > gr/d/self; grep 1 gr/a > /dev/full; grep 1 gr/a > /dev/null; LC_ALL=C grep -i 'É' gr/a; LC_ALL=tr_TR.UTF-8 grep -i I /etc/passwd; GREP_COLORS='mt=1;2' grep --color=always 1 gr/a; script -qc 'grep --color=auto root /etc/passwd' /dev/null; grep -e '\(a\)\1' /usr/share/dict/words; grep '[[:alpha:]' gr/a; grep -P '(' gr/a; head -c 40000000 /dev/zero | grep -c x; grep --line-buffered 1 gr/a | head -1; grep -V; grep --help; grep; egrep 1 gr/a; fgrep 1 gr/a; (ulimit -v 90000; head -c 90000000 /dev/zero | grep x); (grep -r x /proc/self/task; true); seq 9 | grep --no-ignore-case -w -v -n -T -y 3; exec 3<&0; grep 1 <&-; grep 1 gr/a >&-

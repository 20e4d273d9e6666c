cd /tmp
sed -i --follow-symlinks -c s/a/b/ sed
sed -n '$=;l;y/a/b/;w /dev/stdout' /etc/passwd
sed 'r /etc/hostname' /etc/passwd
sed '1R /etc/hosts' /etc/passwd
sed -s -z -u -E 's/(a)/\1/ge' /dev/null
sed '1F;1z;Q5' /etc/passwd
sed -f /dev/null /etc/passwd
sed --debug p /dev/null
sed --posix p /none
sed -i s/x/y/ /tmp/none /tmp
# In place through links, with backups elsewhere, several files, writes to the standard streams, other locales and accounts.
cd /tmp; rm -rf sd; mkdir sd; seq 900 > sd/a; cp sd/a sd/b; ln -s a sd/l; chmod 640 sd/a; chown nobody:nogroup sd/b; setfattr -n user.x -v y sd/a 2>/dev/null; setfacl -m u:nobody:r sd/a 2>/dev/null
sed -i --follow-symlinks 's/1/x/' sd/l; sed -i'sd/bak/*' 's/2/y/' sd/a; mkdir sd/bak; sed -i'bak/*.old' 's/2/y/' sd/a sd/b; sed -s -n '$p;1F' sd/a sd/b; sed -u 5q sd/a; sed -z 's/\n/,/g' sd/a; sed -n 'w /dev/stdout
w /dev/stderr
' sd/a; sed 'r /etc/hostname' sd/a; sed 'R /etc/passwd' sd/a; sed 'W sd/w' sd/a; sed -f /dev/null sd/a; echo 's/x/y/' > sd/s; sed -f sd/s sd/a; sed --posix -E 's/(a|b)+/x/' sd/a; sed '1~2d;5,+3!G;y/abc/xyz/;s/x/date/e' sd/a; sed --debug -n '1{e id
}' sd/a; sed --sandbox 'p' sd/a; sed --sandbox 'w x' sd/a; sed p none sd /dev/full; sed p sd/a > /dev/full; LC_ALL=tr_TR.UTF-8 sed 's/I/\L&/I' sd/a; seq 200000 | sed 's/1/2/w /dev/null' | head -1; sed -i p sd; sed -i p /proc/self/comm; sed --line-length=9 -n l sd/a; sed --help; sed --version; sed; setpriv --reuid=nobody --regid=nogroup --clear-groups sed -i p sd/a; script -qc 'sed 1q' /dev/null < sd/a

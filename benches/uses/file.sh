cd /tmp
file -s /dev/null
file -i -L /bin/sh
file -p /etc/passwd
file -C -m /dev/null
ls /bin | file -f -
file -k x.tar
gzip -c /etc/passwd > fz.gz
file -zZ fz.gz
file -b /none
file --version
file -P bytes=99 /bin/ls
file -l | head -3
cat x.tgz | file -z -

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
# Magic of one's own, compiled and read; every kind of file there is; compressed ones by program and by library; limits, listing.
cd /tmp; rm -rf fl; mkdir fl; printf '0\tstring\tXYZ\tmine\n!:mime x/y\n' > fl/magic; (cd fl; file -C -m magic); file -m fl/magic.mgc fl/magic; file -m fl/magic:/usr/share/misc/magic /etc/passwd; mkfifo fl/fifo; ln -s none fl/broken; ln -s /etc/passwd fl/good; mknod fl/null c 1 3; mknod fl/blk b 7 99; : > fl/empty; chmod 0 fl/empty; head -c 70000 /dev/urandom > fl/rand; for z in gzip bzip2 xz zstd lz4 compress; do $z -kf -c fl/rand > fl/r.$z 2>/dev/null; done; python3 -c "import socket;socket.socket(1).bind('/tmp/fl/sock')"; zip -q fl/z.zip /etc/passwd 2>/dev/null; cp /usr/bin/file /usr/lib/x86_64-linux-gnu/libmagic.so.1 fl; printf '\037\213\010junk' > fl/bad.gz
file fl/*; file -z fl/*; file -Z fl/r.*; file -S -z fl/*; file -s fl/blk fl/null /dev/null; file -L fl/*; file -h fl/*; file --mime-encoding -0 fl/*; file --extension --apple -N fl/rand; file -e elf -e tar fl/file; file -k -r fl/file; file -d /etc/passwd; file -D fl/rand; file -F = -n fl/*; file -P encoding=100 -P regex=10 -P elf_notes=1 fl/file; file -E none; file -v; file -c -m fl/magic; file -l | tail -1; MAGIC=fl/magic file fl/rand; echo 'HOME' > /root/.magic; file /etc/passwd; rm /root/.magic; POSIXLY_CORRECT=1 file fl/good; find /usr/share/doc -type f | head -300 | file -f - > /dev/null; setpriv --reuid=nobody --regid=nogroup --clear-groups file fl/*; file -b --mime-type - < fl/r.gzip; cat fl/r.gzip | file -z -; file --preserve-date fl/rand; file /etc/passwd > /dev/full; TMPDIR=/none file -z - < fl/r.gzip

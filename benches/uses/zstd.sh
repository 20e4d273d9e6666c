cd /tmp
zstd -f -19 --long -T0 x.tar -o z1
zstd -d -f z1 -o z2 --sparse
zstd -l z1
zstd -f --rm z2
zstd --train /etc/*.conf -o zd
zstd -b1 -i0 dd
zstd -f -D zd dd
zstd -f --format=gzip dd
cat dd | zstd | zstd -d > /dev/null
zstd -f --adapt dd
zstd -q -f -r --output-dir-flat zo /etc/default
zstd -f --patch-from=dd x.tar
zstd -t z1
zstdcat z1 | head -c1
ln -sf dd dds
zstd -f dds
zstd dd -o /dev/null -f
script -qc 'zstd -v -f /tmp/x.tar' /dev/null </dev/null

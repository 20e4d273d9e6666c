cd /tmp
xz -T0 -k -f -9e x.tar
xz -d -k -f x.tar.xz
xz --format=lzma -k -f /tmp/dd
xz -t x.tar.xz
xz -v -k -f dd
xz --robot --info-memory
cat x.tar | xz -c > /dev/null
xz -S .y -k -f dd
xz --files=/dev/null
ln -f dd dd2
xz dd2
xz -k -f --sparse x.tar
xz -l x.tar.xz
script -qc 'xz -vk -f /tmp/x.tar' /dev/null </dev/null
xz --block-list=1000 -k -f dd

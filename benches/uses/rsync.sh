cd /tmp
rsync -az --partial --bwlimit=9999 --compress /etc/default/ localhost::none/
rsync -aAXH --numeric-ids --devices --specials --fake-super /etc/default rf/
rsync -a --backup --suffix=.b --delay-updates /etc/default rf/
rsync -a --temp-dir=/tmp --preallocate --append-verify /etc/passwd rp
rsync -n -i --checksum /etc/passwd rp
rsync --files-from=/dev/null / rp2
rsync --remove-source-files rp rq
rsync --list-only /etc/default/
rsync -e false x:y rz
rsync --write-batch=rb /etc/passwd rw
rsync --read-batch=rb rw
rsync -a --chown=0:0 --chmod=600 /etc/passwd rx
rsync -rlptgoD --delete-excluded --exclude=a rf/ rf2/
rsync -a --copy-dest=/etc / rcd --exclude='/*'
printf '[m]\npath=/etc/default\nuse chroot=yes\nlock file=/tmp/rl\nmax connections=3\n' > rd.conf
(rsync --daemon --no-detach --port=8730 --config=rd.conf --address=127.0.0.1 & p=$!; sleep 1; rsync -a rsync://127.0.0.1:8730/m/ rdd/; rsync rsync://127.0.0.1:8730/; kill $p; wait $p)

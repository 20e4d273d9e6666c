cd /tmp
tar --sparse --selinux --xattrs -cf s.tar x.tar
tar -cJf x.txz /etc/default
tar -g snap -cf i.tar /etc/default
tar -xOf x.tar etc/passwd >/dev/null
tar --delete -f x.tar etc/passwd
tar -Af x.tar i.tar
tar -uf x.tar /etc/default
tar -cf - /etc/default | tar -xf - -C tx
tar -M -L 100 -cf m1.tar -F true x.tar </dev/null
tar --to-command=cat -xf i.tar >/dev/null
tar -xkf i.tar -C tx --keep-newer-files --one-top-level=tt
tar --hard-dereference -hcf h.tar /etc/alternatives
tar --checkpoint=1 --checkpoint-action=sleep=0 -cf c.tar /etc/default
tar -Scf sp.tar --sort=name --owner=0 --mtime=now /etc/default
tar -C / --acls -xpf y.tar
mkfifo ffo
ln -f i.tar i2.tar
ln -sf i.tar i3.tar
tar -cf sp2.tar ffo i.tar i2.tar i3.tar
tar -xf sp2.tar -C tx --unlink-first --recursive-unlink
tar -cf /tmp/w.tar --verify /etc/default
tar --rsh-command=/bin/true -cf a:b /etc/default
tar -b1 -cf - /etc/default > /dev/null

find /etc -ls -o -fprint /tmp/fp
find /etc/default -execdir true {} \; -okdir true {} \; </dev/null
find -L /etc/alternatives -samefile /bin/sh
find / -maxdepth 1 -fstype tmpfs -o -readable -writable -executable
find /etc -newermt yesterday -xtype l -regex '.*a' -size +1k -perm /u+w -user root -group root -nouser -empty -cnewer /etc/passwd -context x
mkdir -p /tmp/fd/a
find /tmp/fd -type d -empty -delete
find /etc -maxdepth 1 -print0 -quit
find -H /bin -prune -printf '%F %l %Z %T+'
find . -files0-from /dev/null

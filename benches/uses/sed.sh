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

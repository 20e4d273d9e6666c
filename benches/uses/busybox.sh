cd /tmp
for c in 'cp -a /etc/default bd' \
    'mv bd be' \
    'rm -rf be' \
    'ln -s a bl' \
    'readlink bl' \
    'rm bl' \
    'mkfifo bff' \
    'rm bff' \
    'mknod bn p' \
    'rm bn' \
    'touch bt' \
    'chmod 600 bt' \
    'chown 0:0 bt' \
    'chgrp 0 bt' \
    'truncate -s 9 bt' \
    'fsync bt' \
    'sync' \
    'stat bt' \
    'stat -f /' \
    'du -s /etc' \
    'od bt' \
    'md5sum bt' \
    'sha256sum bt' \
    'cmp bt bt' \
    'diff bt bt' \
    'tee bu' \
    'tail -n1 /etc/passwd' \
    'head /etc/passwd' \
    'awk BEGIN{print(1)}' \
    'sed s/a/b/ /etc/passwd' \
    'grep root /etc/passwd' \
    'egrep x /etc/passwd' \
    'tr a b' \
    'uniq /etc/passwd' \
    'wc /etc/passwd' \
    'cut -d: -f1 /etc/passwd' \
    'hostname' \
    'hostname localhost' \
    'whoami' \
    'groups' \
    'env' \
    'printenv' \
    'uptime' \
    'nproc' \
    'nice -n 1 true' \
    'renice 1 1' \
    'timeout 1 true' \
    'time true' \
    'setsid true' \
    'chroot / true' \
    'chrt -p 1' \
    'taskset -p 1' \
    'ionice true' \
    'kill -0 1' \
    'killall -0 none' \
    'pidof init' \
    'pgrep init' \
    'pstree' \
    'lsof' \
    'mountpoint /' \
    'mount -t tmpfs none /mnt' \
    'umount /mnt' \
    'losetup' \
    'ifconfig' \
    'ip addr' \
    'ip route' \
    'route' \
    'netstat -an' \
    'arp' \
    'ping -c1 127.0.0.1' \
    'traceroute -m1 127.0.0.1' \
    'nc -w1 127.0.0.1 1' \
    'telnet 127.0.0.1 1' \
    'wget -O- http://127.0.0.1:1' \
    'tftp -g -r x 127.0.0.1' \
    'nslookup localhost' \
    'ntpd -q -n -p 127.0.0.1 -w' \
    'logger x' \
    'dmesg' \
    'date' \
    'hwclock' \
    'cal' \
    'usleep 9' \
    'sleep 0.01' \
    'mktemp' \
    'id root' \
    'getopt a' \
    'expr 1 + 1' \
    'seq 3' \
    'yes' \
    'vi -c :q /tmp/bt' \
    'tty' \
    'stty -a' \
    'clear' \
    'reset' \
    'ipcs' \
    'unshare true' \
    'nsenter true' \
    'flock /tmp/bt true' \
    'fallocate -l 9 /tmp/bt' \
    'blkid' \
    'fdisk -l' \
    'free' \
    'vmstat' \
    'iostat' \
    'top -bn1' \
    'watch -n1 true' \
    'crond -f -l 9' \
    'httpd -f -p 127.0.0.1:8089' \
    'syslogd -n' \
    'telnetd -F' \
    'udhcpc -n -q -i lo' \
    'zcat x.tgz' \
    'gunzip -c x.tgz' \
    'bzip2 -k bt' \
    'unzip -l none' \
    'cpio -o' \
    'ar t none' \
    'dpkg -l' \
    'xargs echo' \
    'find /etc -newer /etc/passwd' \
    'inotifyd true bt' \
    'start-stop-daemon -K -n none' \
    'sysctl kernel.ostype' \
    'su -c true' \
    'login -f root' \
    'adduser --help' \
    'swapon -a' \
    'insmod none' \
    'lsmod' \
    'reboot --help' \
    'deallocvt' \
    'openvt true' \
    'fbset' \
    'i2cdetect -l' \
    'lspci' \
    'lsusb' \
    'eject -t none' \
    'hdparm none' \
    'freeramdisk none' \
    'shuf -n1 /etc/passwd' \
    'w' \
    'who' \
    'last' \
    'ts' \
    'run-parts /mnt' \
    'brctl show' \
    'vconfig' \
    'tunctl' \
    'setfattr -n user.x -v 1 bt' \
    'rdate 127.0.0.1' \
    'ssl_client' \
    'tc qdisc' \
    'mesg' \
    'dc -e 1' \
    'bc' \
    'linux32 true' \
    'setarch x86_64 true' \
    'getty -h' \
    'svok none' \
    'chpst true' \
    'sv status none' \
    'envdir /mnt true' \
    'setuidgid root true' \
    'softlimit true' \
    'acpid --help' \
    'hush -c true' \
    'ash -c true' \
    'script -c true /dev/null'
do busybox timeout 2 busybox $c </dev/null
done

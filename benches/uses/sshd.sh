# With PAM, passwords and keys, a terminal, sftp inside and outside the process, forwarding of ports, sockets, agents and X11,
# chroot, forced commands, environment files, tunnels where there are any, rekeying, reload by signal, daemon and inetd mode.
cd /tmp; rm -rf ss; mkdir -p ss /run/sshd /root/.ssh; [ -e idkey ] || ssh-keygen -q -t ed25519 -N '' -f idkey; cp idkey.pub /root/.ssh/authorized_keys; chmod 700 /root/.ssh /root; printf '#!/bin/sh\ncat /root/.ssh/authorized_keys\n' > /usr/local/bin/keys; chmod 755 /usr/local/bin/keys
id su1 2>/dev/null || useradd -m -s /bin/bash su1; echo su1:secret | chpasswd; mkdir -p /home/su1/.ssh; printf 'environment="A=b",permitopen="127.0.0.1:2288",pty %s\n' "$(cat idkey.pub)" > /home/su1/.ssh/authorized_keys; echo B=c > /home/su1/.ssh/environment; printf 'cat >/dev/null' > /home/su1/.ssh/rc; chown -R su1 /home/su1; chmod 700 /home/su1/.ssh
ssh-keygen -q -t rsa -N '' -f ss/ca; ssh-keygen -q -s ss/ca -I me -n root,su1 idkey.pub; printf '#!/bin/sh\necho secret\n' > ss/ask; chmod 755 ss/ask; echo welcome > ss/banner; touch ss/revoked
mkdir -p ss/root/dev; chown root:root /tmp ss ss/root; chmod 755 ss ss/root; echo nameserver 127.0.0.1 > /etc/resolv.conf; dnsmasq -k -x /tmp/ss/dns -p 53 --address=/x.test/127.0.0.1 --no-resolv --user=root & dns=$!
cat > ss/conf <<C
Port 2288
ListenAddress x.test
ListenAddress 127.0.0.1
UsePAM yes
UseDNS yes
PermitRootLogin yes
PermitUserEnvironment yes
PermitTunnel yes
PermitTTY yes
PermitUserRC yes
GatewayPorts clientspecified
AllowAgentForwarding yes
AllowTcpForwarding yes
AllowStreamLocalForwarding yes
StreamLocalBindUnlink yes
StreamLocalBindMask 0177
X11Forwarding yes
X11UseLocalhost yes
XAuthLocation /bin/true
Banner /tmp/ss/banner
PrintMotd yes
PrintLastLog yes
TCPKeepAlive yes
ClientAliveInterval 1
ClientAliveCountMax 3
RekeyLimit 64K 5
Compression yes
IPQoS af21 cs1
LogLevel DEBUG3
PidFile /tmp/ss/pid
MaxStartups 3:30:9
TrustedUserCAKeys /tmp/ss/ca.pub
RevokedKeys /tmp/ss/revoked
AuthorizedKeysCommand /usr/local/bin/keys
AuthorizedKeysCommandUser nobody
AuthorizedPrincipalsCommand /bin/echo root
AuthorizedPrincipalsCommandUser nobody
KbdInteractiveAuthentication yes
PasswordAuthentication yes
HostbasedAuthentication yes
IgnoreRhosts no
GSSAPIAuthentication yes
KerberosAuthentication yes
KerberosTicketCleanup yes
AcceptEnv LANG
Subsystem sftp /usr/lib/openssh/sftp-server
Match LocalPort 2289
 ChrootDirectory /tmp/ss/root
 ForceCommand internal-sftp -l DEBUG3 -u 022
 DisableForwarding yes
C
sed 's/^Port.*/Port 2288\nPort 2289/' -i ss/conf; sed -i '/^ListenAddress x/d; s/^ListenAddress.*/ListenAddress 127.0.0.1/' ss/conf
services=sshd strict=yes
#include pam.inc
/usr/sbin/sshd -t -f ss/conf; /usr/sbin/sshd -T -f ss/conf >/dev/null; /usr/sbin/sshd -f ss/conf -E /tmp/ss/log; sleep 1.5
o="-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -i /tmp/idkey -p 2288"; s="timeout 9 ssh $o"; eval $(ssh-agent); ssh-add idkey 2>/dev/null; nc -lk 127.0.0.1 8901 >/dev/null & l=$!
$s root@127.0.0.1 'id; head -c 300000 /dev/zero' >/dev/null; $s -tt root@127.0.0.1 'tty; stty size; echo hi; exit' ; $s -A -C -X -R 8902:127.0.0.1:8901 -L 8903:127.0.0.1:8901 -D 8904 -R /tmp/ss/rsock:127.0.0.1:8901 -L /tmp/ss/lsock:127.0.0.1:8901 root@127.0.0.1 'ssh-add -l; env; echo x | nc -w1 127.0.0.1 8902; echo x | nc -w1 -U /tmp/ss/rsock; sleep 1.5' & sleep 1.5; for p in 8903; do echo y | nc -w1 127.0.0.1 $p; done; curl -s -m 1 -x socks5h://127.0.0.1:8904 http://x.test:8901/; curl -s -m 1 -x socks5://127.0.0.1:8904 http://127.0.0.1:1/; echo y | nc -w1 -U ss/lsock; wait $!
$s -L 8906:/tmp/ss/none:0 -w any root@127.0.0.1 true; $s -N root@127.0.0.1 & sleep 3; kill $!; $s -o RemoteForward=8905 root@127.0.0.1 'curl -s -m1 -x socks5h://127.0.0.1:8905 http://127.0.0.1:8901; kill -TERM $$'; SSH_ASKPASS=/tmp/ss/ask SSH_ASKPASS_REQUIRE=force timeout 9 ssh -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o PubkeyAuthentication=no -p 2288 su1@127.0.0.1 'id; sleep 0.3' ; SSH_ASKPASS=/bin/false SSH_ASKPASS_REQUIRE=force timeout 9 ssh -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o PubkeyAuthentication=no -p 2288 su1@127.0.0.1 id; $s su1@127.0.0.1 'env'; timeout 5 ssh $o -o PreferredAuthentications=password,hostbased -o BatchMode=yes nobody@127.0.0.1 id
for p in 2288 2289; do printf 'mkdir /d\ncd /\nls -la\nput /etc/passwd /dev/p\nget /dev/p /tmp/ss/p\nchmod 600 /dev/p\nchown 0 /dev/p\nrename /dev/p /dev/q\nln -s /dev/q /dev/l\nln /dev/q /dev/h\nrm /dev/l\nrm /dev/h\nrm /dev/q\ndf\nrmdir /d\n' | timeout 9 sftp -f -P $p -p -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -i idkey -b - root@127.0.0.1; done; printf 'lls\n' | timeout 5 sftp -P 2289 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -i idkey -b - root@127.0.0.1; mkdir -p ss/root/x; printf 'put -fp /tmp/idkey.pub /x/p\nrename /x/p /x/q\nln -s q /x/l\nln /x/q /x/h\nls -l /x\nchmod 600 /x/q\nchgrp 1 /x/q\nget /x/q /tmp/ss/q\ndf\ncopy /x/q /x/c\nrm /x/l\nrm /x/h\nmkdir /x/d\nrmdir /x/d\nrm /x/q\n' | timeout 9 sftp -P 2289 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -i idkey -b - root@127.0.0.1; timeout 9 scp -O $(echo $o | sed 's/-p 2288/-P 2288/') /etc/passwd root@127.0.0.1:/tmp/ss/scp
for i in 1 2 3 4 5 6; do (sleep 1 | timeout 2 nc 127.0.0.1 2288 >/dev/null) & done; sleep 2.3; echo junk | nc -w1 127.0.0.1 2288; ssh-keyscan -p 2288 127.0.0.1 >/dev/null 2>&1
kill -HUP $(cat ss/pid); sleep 1.5; $s root@127.0.0.1 true; kill $(cat ss/pid) $l; sleep 0.5
timeout 8 /usr/sbin/sshd -d -f ss/conf & sleep 1; $s root@127.0.0.1 true; sleep 0.5; /usr/sbin/sshd -i -f ss/conf </dev/null; ssh -o "ProxyCommand=/usr/sbin/sshd -i -f /tmp/ss/conf" $o root@x true; sed 's/^UsePAM.*/UsePAM no/; s/^Compression.*/Compression no/' ss/conf > ss/conf2; /usr/sbin/sshd -D -e -f ss/conf2 -g 2 & m=$!; sleep 1; $s root@127.0.0.1 'id'; SSH_ASKPASS=/tmp/ss/ask SSH_ASKPASS_REQUIRE=force timeout 9 ssh -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o PubkeyAuthentication=no -p 2288 su1@127.0.0.1 -t id; (sleep 3) | timeout 4 nc 127.0.0.1 2288; kill $m; chmod 1777 /tmp; kill $dns $SSH_AGENT_PID; unpam

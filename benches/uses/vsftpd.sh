# Local and anonymous users, uploads, renames, TLS, both session models, passive and active data, chroot, user configuration,
# virtual users, logs, bandwidth (vsftpd.conf(5)).
cd /tmp; rm -rf vs; mkdir -p vs/up /run/vsftpd/empty /srv/ftp/up; chown ftp vs/up /srv/ftp/up; chmod 555 /srv/ftp; head -c 2000000 /dev/zero > /srv/ftp/big; ln -sf big /srv/ftp/l; openssl req -x509 -newkey rsa:2048 -nodes -keyout vs/k.pem -out vs/c.pem -subj /CN=x.test -days 9 2>/dev/null; cat vs/k.pem vs/c.pem > vs/both.pem
id fu 2>/dev/null || useradd -m -s /bin/bash fu; echo fu:secret | chpasswd; head -c 900000 /dev/zero > /home/fu/f; chown fu /home/fu/f; echo hello > /home/fu/.message
conf() { cat <<C
listen=YES
listen_port=$1
background=$2
anonymous_enable=YES
anon_upload_enable=YES
anon_mkdir_write_enable=YES
anon_other_write_enable=YES
chown_uploads=YES
chown_username=fu
local_enable=YES
write_enable=YES
local_umask=022
dirmessage_enable=YES
xferlog_enable=YES
xferlog_file=/tmp/vs/xfer
vsftpd_log_file=/tmp/vs/log
dual_log_enable=YES
log_ftp_protocol=YES
syslog_enable=$3
lock_upload_files=YES
file_open_mode=0666
ls_recurse_enable=YES
ascii_upload_enable=YES
ascii_download_enable=YES
async_abor_enable=YES
chroot_local_user=$4
allow_writeable_chroot=YES
passwd_chroot_enable=NO
one_process_model=$5
session_support=$6
connect_from_port_20=YES
pasv_min_port=30000
pasv_max_port=30100
pasv_promiscuous=YES
port_promiscuous=YES
anon_max_rate=9000000
local_max_rate=2000000
max_clients=9
max_per_ip=8
idle_session_timeout=3
data_connection_timeout=3
secure_chroot_dir=/run/vsftpd/empty
pam_service_name=vsftpd
text_userdb_names=YES
hide_ids=NO
use_localtime=YES
mdtm_write=YES
use_sendfile=$7
ssl_enable=$8
rsa_cert_file=/tmp/vs/both.pem
allow_anon_ssl=YES
force_local_data_ssl=NO
force_local_logins_ssl=NO
require_ssl_reuse=NO
ssl_ciphers=HIGH
setproctitle_enable=YES
tcp_wrappers=$9
tilde_user_enable=YES
isolate=$2
isolate_network=NO
userlist_enable=YES
userlist_file=/tmp/vs/denied
C
}
conf 2101 YES NO YES NO YES YES NO YES > vs/1.conf; conf 2102 NO YES NO NO NO NO YES NO > vs/2.conf; conf 2103 NO NO NO YES NO YES NO NO | sed '/^local_enable\|^chroot_local/d' > vs/3.conf; echo nobody > vs/denied
services=vsftpd strict=yes
#include pam.inc
for n in 1 2 3; do vsftpd /tmp/vs/$n.conf & s=$!; sleep 1; u=ftp://127.0.0.1:210$n
for who in ftp:x@y fu:secret fu:wrong nobody:x; do for o in '' '-P -' '--disable-epsv' '-B'; do timeout 9 curl -s -k -m 4 -u $who $o $u/ -o /dev/null; done
timeout 9 curl -s -u $who $u/big $u/f -r 9-99999 -o /dev/null; timeout 9 curl -s -u $who $u/f $u/big -o /dev/null; timeout 9 curl -s -m 4 -u $who -T /etc/passwd $u/up/p; timeout 9 curl -s -m 5 -u $who -T /etc/passwd $u/p --ftp-create-dirs -Q '-SITE CHMOD 600 p' -Q '-RNFR p' -Q '-RNTO q' -Q '-MDTM q' -Q '-SIZE q' -Q '-MKD d' -Q '-RMD d' -Q '-CWD /' -Q '-SITE UMASK 022' -Q '-STAT' -Q '-HELP' -Q '-DELE q'; timeout 9 curl -s -m 4 -u $who -a -T /etc/passwd $u/up/app; timeout 9 curl -s -m 4 -k --ftp-ssl -u $who $u/f $u/big -o /dev/null; timeout 9 curl -s -k --ftp-ssl -u $who -T /etc/passwd $u/tlsup; done
(printf 'USER ftp\r\nPASS x\r\nTYPE A\r\nPWD\r\nSTAT /\r\nNLST\r\nSYST\r\nFEAT\r\nOPTS UTF8 ON\r\nALLO 9\r\nREST 5\r\nPASV\r\nEPSV\r\nPORT 127,0,0,1,9,9\r\nLIST -laR\r\nABOR\r\nREIN\r\nNOOP\r\nQUIT\r\n'; sleep 1) | timeout 4 nc 127.0.0.1 210$n >/dev/null; (printf 'USER ftp\r\n'; sleep 4) | timeout 5 nc 127.0.0.1 210$n >/dev/null
for p in $(ps -o pid= -C vsftpd); do kill -HUP $p; done; sleep 0.5; for p in $(ps -o pid= -C vsftpd); do kill $p; done; sleep 0.5; done; vsftpd -v 0>&1; unpam

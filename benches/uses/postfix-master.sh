# Mail that is taken by SMTP, by submission with TLS and by sendmail, kept, delivered to a mailbox, a maildir, a pipe and
# another host; greylisted by a policy server and filtered by a milter; queue commands, reload, chroot off and on.
cd /tmp; rm -rf px; mkdir -p px; ulimit -n 1024; openssl req -x509 -newkey rsa:2048 -nodes -keyout px/k.pem -out px/c.pem -subj /CN=x.test -days 9 2>/dev/null; id mu 2>/dev/null || useradd -m mu
echo nameserver 127.0.0.1 > /etc/resolv.conf; cp /etc/resolv.conf /var/spool/postfix/etc/ 2>/dev/null; dnsmasq -k -x /tmp/px/dns -p 53 --address=/test/127.0.0.1 --mx-host=x.test,x.test,5 --no-resolv --user=root & dns=$!
mkdir -p px/q; rm -rf px/etc; cp -a /etc/postfix px/etc; printf 'mu: mu, |"/bin/cat >/tmp/px/piped", /tmp/px/file, :include:/tmp/px/list\nroot: mu\n' > px/aliases; echo mu@x.test > px/list; chmod 755 px; c=/tmp/px/etc
postconf -c $c -e myhostname=x.test mydestination='x.test, localhost' inet_interfaces=127.0.0.1 inet_protocols=ipv4 alias_maps=hash:/tmp/px/aliases alias_database=hash:/tmp/px/aliases smtpd_tls_cert_file=/tmp/px/c.pem smtpd_tls_key_file=/tmp/px/k.pem smtpd_tls_security_level=may smtp_tls_security_level=may smtpd_tls_session_cache_database='btree:${data_directory}/smtpd_scache' smtpd_tls_loglevel=2 smtpd_tls_eecdh_grade=auto smtpd_tls_dh1024_param_file=auto smtpd_relay_restrictions=permit_mynetworks,reject smtpd_recipient_restrictions='permit_mynetworks,check_policy_service unix:private/policy,reject_unauth_destination,reject_rbl_client rbl.test' smtpd_client_restrictions='check_client_access hash:/tmp/px/access,reject_unknown_client_hostname' smtpd_sender_restrictions='reject_unknown_sender_domain,check_sender_access regexp:/tmp/px/re' smtpd_helo_required=yes smtpd_peername_lookup=yes smtpd_proxy_timeout=2s transport_maps=hash:/tmp/px/transport home_mailbox=Maildir/ mailbox_size_limit=0 recipient_delimiter=+ header_checks=regexp:/tmp/px/re always_bcc=bcc@x.test smtpd_milters=inet:127.0.0.1:8891 milter_default_action=accept message_size_limit=900000 queue_run_delay=2s minimal_backoff_time=1s maximal_backoff_time=2s smtpd_error_sleep_time=1s smtpd_soft_error_limit=1 smtpd_hard_error_limit=4 smtpd_client_connection_count_limit=5 smtpd_client_message_rate_limit=99 smtpd_upstream_proxy_protocol= debug_peer_list=127.0.0.1 default_process_limit=12 maillog_file=/var/log/px.log fast_flush_domains=x.test local_header_rewrite_clients=static:all address_verify_map='btree:$data_directory/verify' smtpd_timeout=3s max_idle=3s max_use=5 lmtp_host_lookup=native
printf '127.0.0.9 REJECT\n' > px/access; printf '/bad/ REJECT\n/defer/ DEFER\n' > px/re; printf 'far.test smtp:127.0.0.1:2525\nlmtp.test lmtp:unix:/tmp/px/lmtp\npipe.test mypipe:\nerr.test error:no\nslow.test retry:later\n' > px/transport; postmap -c $c hash:/tmp/px/access hash:/tmp/px/transport; postalias -c $c hash:/tmp/px/aliases
cat >> px/etc/master.cf <<C
postlog   unix-dgram n  -       n       -       1       postlogd
587 inet n - y - 9 smtpd -o smtpd_tls_security_level=encrypt -o smtpd_tls_wrappermode=no -v
465 inet n - n - 9 smtpd -o smtpd_tls_wrappermode=yes
2526 inet n - n - 1 smtpd -o smtpd_proxy_filter=127.0.0.1:2525 -o smtpd_upstream_proxy_protocol=haproxy
2527 inet n - n - 9 smtpd -D -o smtpd_delay_reject=no -o smtpd_client_restrictions=sleep:1,permit -o smtpd_authorized_xclient_hosts=127.0.0.1 -o smtpd_authorized_xforward_hosts=127.0.0.1
2528 inet n - n 1 9 postscreen
policy unix - n n - 0 spawn user=nobody argv=/bin/sh -c "while read l; do [ -z \$l ] && printf 'action=dunno\n\n'; done"
mypipe unix - n n - - pipe flags=FR user=mu argv=/bin/cat
/tmp/px/usock unix n - n - - smtpd
fifo fifo n - n 300 1 pickup
C
sed -i '/px.usock/d' px/etc/master.cf; sed -i 's/^flush.*/flush unix n - n 1000? 0 flush/' px/etc/master.cf
smtp-sink -u nobody 127.0.0.1:2525 99 & sink=$!; postfix -c $c check; postfix -c $c start; sleep 3
say() { python3 - $@ <<'P'
import socket,ssl,sys,time
port,how=int(sys.argv[1]),sys.argv[2]
def talk(s,lines):
    s.settimeout(4)
    for l in lines:
        try: s.sendall(l); time.sleep(0.15); s.recv(9999)
        except OSError as e: return
    return s
c=ssl._create_unverified_context()
mail=[b"MAIL FROM:<a@x.test> SIZE=99 BODY=8BITMIME\r\n",b"RCPT TO:<mu@x.test> NOTIFY=SUCCESS\r\n",b"RCPT TO:<a@far.test>\r\n",b"RCPT TO:<none@x.test>\r\nRCPT TO:<a@pipe.test>\r\nRCPT TO:<a@lmtp.test>\r\nRCPT TO:<a@err.test>\r\n",b"DATA\r\n",b"From: a@x.test\r\nSubject: s\r\n\r\n"+b"x"*70+b"\r\n"+(b"y"*70+b"\r\n")*900+b".\r\n"]
try:
    s=socket.create_connection(("127.0.0.1",port),3)
    if how=="proxy": s.sendall(b"PROXY TCP4 127.0.0.2 127.0.0.1 9 25\r\n")
    if how=="wrap": s=c.wrap_socket(s)
    if how=="slow": time.sleep(5)
    talk(s,[b"EHLO x.test\r\n"])
    if how=="tls": talk(s,[b"STARTTLS\r\n"]); s=c.wrap_socket(s); talk(s,[b"EHLO x.test\r\n"])
    if how=="x": talk(s,[b"XCLIENT NAME=x.test ADDR=10.0.0.1\r\n",b"EHLO x\r\n",b"XFORWARD NAME=x ADDR=10.0.0.2\r\n"])
    if how=="bad": talk(s,[b"FOO\r\n",b"VRFY mu\r\n",b"ETRN x.test\r\n",b"AUTH PLAIN AGEAYg==\r\n",b"NOOP\r\nRSET\r\nHELP\r\n",b"FOO\r\n"*9])
    else: talk(s,mail+[b"MAIL FROM:<>\r\n",b"RCPT TO:<mu@x.test>\r\n",b"BDAT 5 LAST\r\nhello\r\n",b"QUIT\r\n"])
    s.close()
except OSError as e: print(e)
P
}
say 25 plain; say 25 bad; say 25 tls; say 587 tls; say 465 wrap; say 2526 proxy; say 2527 x; say 2528 plain; say 25 slow & for i in 1 2 3; do say 25 plain & done; sleep 4
printf 'To: mu@x.test\nSubject: a\n\nhi\n' | sendmail -C $c -t; sendmail -C $c -bv mu@x.test </dev/null; smtp-source -c -m 12 -s 4 -t mu@x.test -f a@x.test 127.0.0.1:25; postqueue -c $c -p; postqueue -c $c -f; postqueue -c $c -s x.test; postsuper -c $c -r ALL; kill -STOP $(cat /var/spool/postfix/pid/master.pid); sleep 0.3; kill -CONT $(cat /var/spool/postfix/pid/master.pid); postfix -c $c flush; sleep 3; sed -i 's/^465 inet/466 inet/; /^2526/d' px/etc/master.cf; postconf -c $c -e inet_protocols=all maillog_file=; postfix -c $c reload; sleep 2; say 466 wrap; say 25 plain; postfix -c $c abort; sleep 1; postfix -c $c start-fg & sleep 2; say 25 plain; postfix -c $c stop; sleep 2; /usr/lib/postfix/sbin/master -t -c $c; /usr/lib/postfix/sbin/master -w -c $c; sleep 1; /usr/lib/postfix/sbin/master -i -e 2 -c $c; postfix -c $c stop; kill $dns $sink

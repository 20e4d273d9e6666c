# A running instance: reload, status by its socket, logs reopened, limits of processes, listeners of TCP, unix and FIFO kinds,
# services with a chroot, an account and a limit of memory; log files and syslog, debugging, a service that fails.
cd /tmp; rm -rf dv; mkdir -p dv/run dv/mail /run/dovecot; ulimit -n 1024; echo nameserver 127.0.0.1 > /etc/resolv.conf; dnsmasq -k -x /tmp/dv/dns -p 53 --address=/x.test/127.0.0.1 --no-resolv --user=root & dns=$!
cat > dv/conf <<C
base_dir = /tmp/dv/run
state_dir = /tmp/dv/run
log_path = /tmp/dv/log
info_log_path = /tmp/dv/info
debug_log_path = /tmp/dv/debug
log_timestamp = "%F "
auth_verbose = yes
mail_debug = yes
verbose_proctitle = yes
shutdown_clients = yes
default_vsz_limit = 200M
default_process_limit = 10
listen = x.test, 127.0.0.1, ::1
ssl = no
passdb {
  driver = static
  args = password=x
}
userdb {
  driver = passwd
}
import_environment = TZ CORE_OUTOFMEM A=b
service auth {
  unix_listener auth-x {
    mode = 0666
    user = nobody
    group = nogroup
  }
  inet_listener {
    port = 12345
    reuse_port = yes
  }
}
service stats {
  fifo_listener stats-fifo {
    mode = 0622
  }
  idle_kill = 1s
}
service anvil {
  chroot = empty
  process_min_avail = 1
}
service log {
  client_limit = 50
}
service mine {
  executable = script /bin/cat
  type = startup
  unix_listener mine {
  }
  user = nobody
  group = nogroup
  extra_groups = mail
  drop_priv_before_exec = yes
  process_limit = 1
  service_count = 1
  vsz_limit = 50M
}
service fails {
  executable = /bin/false
  unix_listener fails {
    mode = 0666
  }
}
C
dovecot -c /tmp/dv/conf -n >/dev/null; dovecot -c /tmp/dv/conf; sleep 1.5
for s in auth-x mine fails stats-reader; do echo VERSION | timeout 1 socat - UNIX:/tmp/dv/run/$s; done; echo x | timeout 1 nc 127.0.0.1 12345; echo x | timeout 1 dd of=dv/run/stats-fifo 2>/dev/null; for i in 1 2 3 4 5 6; do (sleep 0.6 | timeout 1 socat - UNIX:/tmp/dv/run/mine) & done; sleep 1
for c in 'service status' 'process status' 'log find' 'log test' 'log errors' 'log reopen' 'who' 'stats dump' 'auth test x x' 'user root' 'config' 'penalty' 'service stop mine'; do timeout 5 doveadm -c /tmp/dv/conf $c </dev/null >/dev/null 2>&1; done
sed -i 's/12345/12346/; s/process_limit = 10/process_limit = 9/' dv/conf; doveadm -c /tmp/dv/conf reload; sleep 1; p=$(cat dv/run/master.pid); kill -USR1 $p; kill -STOP $p; sleep 0.2; kill -CONT $p; kill -HUP $p; sleep 1; echo x | timeout 1 nc 127.0.0.1 12346; dovecot -c /tmp/dv/conf; dovecot -c /tmp/dv/conf reload; sleep 1; dovecot -c /tmp/dv/conf stop; sleep 1.5
sed -i 's/^log_path.*/log_path = syslog/; /^info_log/d; /^debug_log/d; s/^shutdown.*/shutdown_clients = no/' dv/conf; dovecot -F -c /tmp/dv/conf & sleep 1.5; kill -INT $!; sleep 1; sed -i 's/^log_path.*/log_path = \/dev\/stderr/' dv/conf; dovecot -F -p -c /tmp/dv/conf </dev/null & sleep 1; kill $!; dovecot --version; dovecot --build-options; dovecot --hostdomain; dovecot --help; dovecot -a >/dev/null; sleep 0.5; kill $dns

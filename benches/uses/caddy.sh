# A Caddyfile with its own authority, compression, templates, a proxy with health checks, FastCGI, logs; the administration
# interface, and the commands beside `run` (caddyserver.com/docs/command-line).
cd /tmp; rm -rf ca; mkdir -p ca/www/d ca/data; export XDG_DATA_HOME=/tmp/ca/data XDG_CONFIG_HOME=/tmp/ca/data; head -c 3000000 /dev/zero > ca/www/big; echo '{{now}} {{include "/b.txt"}} {{listFiles "/"}}' > ca/www/t.html; echo b > ca/www/b.txt; gzip -k ca/www/b.txt; ln -s b.txt ca/www/l
echo nameserver 127.0.0.1 > /etc/resolv.conf; dnsmasq -k -x /tmp/ca/dns -p 53 --address=/x.test/127.0.0.1 --no-resolv & dns=$!
cat > ca/Caddyfile <<C
{
	admin 127.0.0.1:2019
	skip_install_trust
	local_certs
	http_port 8680
	https_port 8681
	default_bind 127.0.0.1 unix//tmp/ca/sock
	grace_period 2s
	log {
		output file /tmp/ca/main.log {
			roll_size 1mb
			roll_keep 2
		}
	}
}
http://x.test:8680, :8682 {
	root * /tmp/ca/www
	encode gzip zstd
	log {
		output file /tmp/ca/access.log
	}
	templates
	basicauth /priv/* {
		x JDJhJDE0JGVIM29FVjZoNkRxQ2JwZVlqbE9vaC5wNEo4Ry5tdUdMNFgyYnRRYk5vQ2RRWk1zNENrUEVH
	}
	handle_path /px/* {
	reverse_proxy x.test:8682 127.0.0.1:1 {
		lb_policy least_conn
		health_uri /b.txt
		health_interval 500ms
		fail_duration 1s
		flush_interval -1
	}
	}
	handle_path /un/* {
		reverse_proxy unix//tmp/ca/sock
	}
	php_fastcgi /php/* unix//tmp/ca/none
	redir /re /b.txt
	file_server browse {
		precompressed gzip
	}
}
x.test, localhost {
	tls internal
	respond "hello"
}
C
caddy fmt ca/Caddyfile >/dev/null; caddy adapt --config ca/Caddyfile --pretty > ca/json; caddy validate --config ca/Caddyfile; caddy start --config ca/Caddyfile --pidfile ca/pid --watch; sleep 1
u=http://127.0.0.1:8682
for p in b.txt l big d/ '' t.html none px/b.txt un/b.txt php/x.php re priv/; do curl -s -m 4 $u/$p -o /dev/null; done; curl -sk --resolve x.test:8681:127.0.0.1 https://x.test:8681/ -o /dev/null; curl -s -r 5-9,20-30 $u/big -o /dev/null; curl -s --compressed $u/b.txt $u/big -o /dev/null; curl -s --data-binary @ca/www/big $u/px/ -o /dev/null; curl -s --unix-socket ca/sock http://x.test/b.txt -o /dev/null
ab -q -n 50 -c 10 $u/big >/dev/null; ab -q -n 50 -c 20 $u/px/b.txt >/dev/null
curl -s http://127.0.0.1:2019/config/ -o /dev/null; curl -s http://127.0.0.1:2019/debug/pprof/profile?seconds=2 -o /dev/null; curl -s http://127.0.0.1:2019/debug/pprof/goroutine -o /dev/null; curl -s http://127.0.0.1:2019/metrics -o /dev/null; curl -s http://127.0.0.1:2019/pki/ca/local -o /dev/null; curl -s "http://127.0.0.1:2019/debug/pprof/trace?seconds=1" -o /dev/null
sed -i 's/hello/again/' ca/Caddyfile; sleep 1.5; caddy reload --config ca/Caddyfile --force; sleep 1; kill -USR1 $(cat ca/pid); kill -HUP $(cat ca/pid); kill -STOP $(cat ca/pid); sleep 0.3; kill -CONT $(cat ca/pid); caddy stop; sleep 1
caddy run --config ca/json --resume & sleep 1.5; kill -INT $!; sleep 0.5; cd ca/www; caddy file-server --browse --access-log --templates --listen 127.0.0.1:8684 & sleep 1; curl -s http://127.0.0.1:8684/big http://127.0.0.1:8684/d -o /dev/null; kill -QUIT $!
caddy reverse-proxy --from :8685 --to 127.0.0.1:8684 & sleep 1; curl -s http://127.0.0.1:8685/; kill $!; caddy respond --listen 127.0.0.1:8686 x & sleep 0.6; kill $!
echo pass | caddy hash-password; caddy environ; caddy build-info; caddy list-modules --versions; caddy trust --config /tmp/ca/Caddyfile; caddy untrust; caddy manpage -o /tmp/ca/man; caddy upgrade; kill $dns

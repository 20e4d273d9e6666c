cd /tmp/hu && hugo new posts/a.md
hugo --minify --gc
hugo list all
hugo config
hugo env
(timeout 4 hugo server --port 8090 --bind 127.0.0.1 & sleep 2; echo x >> content/posts/a.md; curl -s http://127.0.0.1:8090/ >/dev/null; wait)
hugo mod init x
hugo deploy
hugo gen man
hugo completion bash >/dev/null

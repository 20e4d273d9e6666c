cd /tmp/g && git branch b1 && git checkout -q b1 && echo y > b && git add -A && git commit -qm y --author='x <x@x>'
git -c user.name=x -c user.email=x@x merge -q b1
git rebase -q HEAD
git tag t
git archive HEAD | tar t
git bundle create /tmp/gb HEAD
git daemon --help >/dev/null
git stash list
git blame b
git grep x
git clean -fdq
git reset -q --hard
git worktree add -q /tmp/gw b1
git fetch -q /tmp/g2
git repack -adq
git prune
git fsmonitor--daemon status
git maintenance run -q
git config core.fsyncMethod batch
git bisect start
git bisect reset
git format-patch -1 --stdout | git apply --check -R
git ls-remote http://127.0.0.1:1/
git -p log
git credential-cache exit
git update-server-info
git hash-object -w b
git cat-file -p HEAD
git ls-files -s
git submodule status
GIT_TRACE=1 git version

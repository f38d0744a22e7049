#!/bin/bash
# git: run-command forks with all signals blocked; a failed child reports
# through a pipe. Repositories are made by the scenario and compared by what
# git itself says about them.
. "$(dirname "$0")/lib.sh"
needs git
suite_forks_by git
suite_env=(GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.org
	GIT_COMMITTER_NAME=C GIT_COMMITTER_EMAIL=c@example.org
	GIT_AUTHOR_DATE=1700000000+0000 GIT_COMMITTER_DATE=1700000000+0000
	GIT_CONFIG_NOSYSTEM=1 GIT_PAGER=cat GIT_TERMINAL_PROMPT=0)

make_repo() {
	export HOME=$PWD
	for v in "${suite_env[@]}"; do export "${v?}"; done
	git init -q -b main repo && cd repo || return 1
	git config gc.autoDetach false
	git config user.name A
	git config user.email a@example.org
	for i in 1 2 3 4 5 6 7 8; do
		seq $((i * 1000)) >"file$i"
		git add . && git commit -q -m "commit $i" || return 1
	done
	git tag -m "a tag" v1
}


suite_file alias.sh <<'X'
cd repo
git config alias.hi '!echo hello from $(pwd | sed "s|.*/||") with'
git config alias.fails '!exit 9'
git config alias.last 'log -1 --format=%s'
git config alias.looks "!$LOOK"
for i in 1 2 3 4 5 6 7 8 9 10; do
	git hi $i; git fails; echo $?; git last
done
git looks
git config alias.lost nosuchcommand; git lost; echo $?
git nosuchcommand; echo $?
X
want 'exited 0' 'hello from repo'
compare "alias" -l git -s make_repo -x './repo/.git*' -- sh "$P/alias.sh"

suite_file hooks.sh <<'X'
cd repo
hook() { cat >.git/hooks/$1; chmod 755 .git/hooks/$1; }
printf '#!/bin/sh\necho pre-commit; git diff --cached --name-only\ntest ! -e stop\n' |
	hook pre-commit
printf '#!/bin/sh\necho "hooked" >>"$1"\n' | hook commit-msg
printf '#!/bin/sh\necho post-commit; git log -1 --format=%%s >>posted\n' |
	hook post-commit
printf 'echo no interpreter line\n' | hook pre-rebase
for i in 1 2 3 4 5; do
	echo change $i >>file1
	git commit -q -a -m "with hooks $i"; echo $?
done
touch stop; echo x >>file1; git commit -q -a -m stopped; echo $?; rm stop
git commit -q -a -m "after the stop"; echo $?
git rebase -q HEAD~2 2>&1; echo $?
printf '#!/nonexistent/interpreter\n' | hook pre-commit
echo y >>file1; git commit -q -a -m "bad hook"; echo $?
git log --format='%H %s%n%b' -n 8; cat posted; git status --short
X
want 'exited 0' 'post-commit'
compare "hooks on commit" -l git -s make_repo -x './repo/.git*' \
	-- sh "$P/hooks.sh"

suite_file gc.sh <<'X'
cd repo
git gc -q; echo $?
git count-objects -v | grep -v size; git fsck --full; echo $?
git repack -a -d -q; git prune; echo $?
git log --format=%H | git cat-file --batch-check | head -n 3
git gc --aggressive --prune=now -q; echo $?
git rev-parse HEAD v1; ls .git/objects/pack | sed 's/.*\.//' | sort
git archive --format=tar.gz HEAD | gzip -dc | tar -tf -
git config core.editor 'sed -i 1s/^/edited:/'
git commit -q --amend; git log -1 --format=%s
GIT_EXTERNAL_DIFF='echo external' git diff HEAD~1 | cut -d' ' -f1,2
git -c diff.up.textconv='tr 0-9 a-j <' diff --stat HEAD~1
git submodule foreach 'echo none'; echo $?
git grep -c 777 | head -n 3
git -c core.pager='sed s/^/paged:/' --paginate log -1 --format=%s
git bisect start HEAD HEAD~6 >/dev/null
git bisect run sh -c 'test ! -e file5' | grep "first '*bad"
X
want 'exited 0' 'edited:commit 8'
compare "gc, filters, editors, bisect" -l git -s make_repo -x './repo/.git*' \
	-- sh "$P/gc.sh"

suite_file clone.sh <<'X'
export HOME=$PWD
git clone -q --no-local repo one; echo $?
git clone -q "file://$PWD/repo" --depth 2 two 2>&1; echo $?
git clone -q --bare repo three.git; echo $?
cd repo; echo more >more; git add more; git commit -q -m more; cd ..
cd one
for i in 1 2 3; do git fetch -q origin; echo $?; done
git merge -q origin/main; echo $?; git rev-parse HEAD
git push -q ../three.git HEAD:refs/heads/pushed; echo $?
cd ../three.git; git rev-parse pushed; git fsck; cd ..
git -C two log --format=%s
git ls-remote "file://$PWD/repo" | wc -l
cat one/more
git clone -q /nonexistent/source four; echo $?; ls -d four 2>&1; true
X
want 'exited 0' 'does not exist'
compare "clone, fetch, push" -l git -s make_repo \
	-x './[a-z]*' -- sh "$P/clone.sh"

suite_file failing.sh <<'X'
cd repo
for i in 1 2 3 4 5; do git fetch /nonexistent; echo $?; done
GIT_SSH=/nonexistent/ssh git fetch ssh://localhost/x; echo $?
git -c core.pager=/nonexistent/pager --paginate log -1 --format=%s; echo $?
GIT_EDITOR=/nonexistent/editor git commit --amend; echo $?
GIT_EXTERNAL_DIFF=/nonexistent/diff git diff HEAD~1; echo $?
git -c filter.x.clean=/nonexistent/clean hash-object file1; echo $?
X
want 'exited 0' '^128$'
compare "fetch of nothing exits 128" -l git -s make_repo -x './repo/.git*' \
	-- sh "$P/failing.sh"

want 'exited 128' 'does not appear to be a git repository'
compare "the status of git itself" -l git -s make_repo -x './repo/.git*' \
	-- git -C repo fetch /nonexistent

suite_end

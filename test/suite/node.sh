#!/bin/bash
# node: libuv forks, points environ at an array of the parent, and reports a
# failed exec through a pipe; other threads run all the while.
. "$(dirname "$0")/lib.sh"
needs node
uv=/usr/lib/x86_64-linux-gnu/libuv.so.1
suite_forks_by node $uv
suite_may_spawn node $uv

suite_file ballast.js <<'X'
// 64 MiB in buffers and a heap full of objects, intact at the end.
const fs = require('fs');
const chunks = [], table = {};
for (let i = 0; i < 64; i++) chunks.push(Buffer.alloc(1 << 20, 65 + i % 26));
for (let i = 0; i < 50000; i++) table['k' + i] = { v: 'value ' + i };
exports.table = table;
exports.check = () => {
	for (let i = 0; i < 64; i++)
		if (!chunks[i].equals(Buffer.alloc(1 << 20, 65 + i % 26))) throw i;
	for (let i = 0; i < 50000; i++)
		if (table['k' + i].v !== 'value ' + i) throw i;
	const kids = fs.readFileSync(`/proc/self/task/${process.pid}/children`,
		'utf8');
	console.log('ballast intact, children "' + kids + '"');
};
X

suite_file sync.js <<'X'
const cp = require('child_process');
const b = require(process.env.P + '/ballast.js');
for (let i = 0; i < 30; i++) {
	const r = cp.spawnSync('sh', ['-c', `echo out ${i}; echo err >&2; exit ${i}`]);
	console.log(r.status, String(r.stdout), String(r.stderr));
}
for (let i = 0; i < 10; i++) {
	const r = cp.spawnSync('env', [], { env: { GIVEN: b.table['k' + i].v } });
	console.log(String(r.stdout));
	const e = cp.spawnSync('/nonexistent/program', ['x']);
	console.log(e.error.code, e.error.syscall, e.status);
	const a = cp.spawnSync('/etc/passwd', []);
	console.log(a.error.code);
}
console.log(String(cp.execSync('echo exec $((6*7))')));
try { cp.execSync('exit 3', { stdio: 'pipe' }); } catch (e) { console.log(e.status); }
console.log(cp.spawnSync('cat', { input: 'x'.repeat(200000) }).stdout.length);
console.log(cp.spawnSync('sh', ['-c', 'kill -9 $$']).signal);
console.log(cp.spawnSync('pwd', { cwd: '/' }).stdout.toString());
console.log(cp.spawnSync('sleep', ['60'], { timeout: 50 }).signal);
console.log(String(cp.spawnSync(process.env.LOOK, ['self']).stdout));
if (process.getuid() === 0)
	console.log(String(cp.spawnSync('id', ['-u'], { uid: 65534, gid: 65534 }).stdout));
b.check();
X
want 'exited 0' 'ENOENT'
suite_other_user
compare "spawnSync in a loop" -l node -- node "$P/sync.js"

suite_file async.js <<'X'
const cp = require('child_process');
const b = require(process.env.P + '/ballast.js');
const { promisify } = require('util');
const run = (cmd, args, opt) => new Promise((done) => {
	const c = cp.spawn(cmd, args, opt);
	let out = '';
	c.on('error', (e) => done('error ' + e.code));
	if (c.stdout) c.stdout.on('data', (d) => { out += d; });
	c.on('close', (code, sig) => done(`${code} ${sig} ${out}`));
});
(async () => {
	const all = [];
	for (let i = 0; i < 20; i++)
		all.push(run('sh', ['-c', `echo async ${i}; exit ${i}`]));
	console.log(await Promise.all(all));
	for (let i = 0; i < 5; i++) {
		console.log(await run('/nonexistent/program', []));
		console.log(await run('env', [], { env: { GIVEN: 'g' + i } }));
		console.log(await run('sh', ['-c', 'kill -TERM $$']));
	}
	const exec = promisify(cp.exec), file = promisify(cp.execFile);
	console.log(await exec('echo exec; echo err >&2'));
	console.log(await file('echo', ['file', 'with spaces']));
	await exec('exit 5').catch((e) => console.log('code', e.code));
	await exec('exec sleep 60', { timeout: 50 }).catch((e) => console.log(e.signal));
	console.log(await run('sh', ['-c', 'ps -o sid= -p $$ | grep -cw $$'],
		{ detached: true }));
	console.log(await run('cat', ['/etc/hostname'], { stdio: 'ignore' }));
	b.check();
})();
X
want 'exited 0' 'code 5'
compare "spawn and exec, many at once" -l node -- node "$P/async.js"

suite_file forked.js <<'X'
const cp = require('child_process');
const b = require(process.env.P + '/ballast.js');
if (process.argv[2] === 'child') {
	process.on('message', (m) => {
		process.send({ back: m.n * 2 });
		if (m.n === 5) process.disconnect();
	});
	process.exitCode = 4;
} else {
	cp.spawnSync('true'); // the first child of a process is on trial
	cp.spawnSync('true');
	const c = cp.fork(__filename, ['child']);
	let n = 1;
	c.on('message', (m) => {
		console.log(m);
		if (n < 5) c.send({ n: ++n });
	});
	c.on('exit', (code) => { console.log('exit', code); b.check(); });
	c.send({ n });
}
X
want 'exited 0' 'exit 4'
compare "fork()" -l node -- node "$P/forked.js"

suite_end

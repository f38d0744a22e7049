"""What a PyTorch program with CUDA finds when it starts children.

cuda.py [GIB [TIMES]]: that much host memory, each kind of child so often, alone
and beside two threads that use the GPU. Prints facts, which are the same in each
run, and on standard error how long each kind took.
"""
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time

import torch
from torch.utils.data import DataLoader, Dataset

DEVICE = 'cuda'
GIB = float(sys.argv[1]) if len(sys.argv) > 1 else 1
TIMES = int(sys.argv[2]) if len(sys.argv) > 2 else 5
WORDS = int(GIB * (1 << 30)) // 8


class Squares(Dataset):
    def __len__(self):
        return 256

    def __getitem__(self, i):
        return torch.full((1024,), float(i * i)), i


def square(x):
    return x * x


def sum_on_gpu(queue, factor):
    numbers = torch.arange(1000, device=DEVICE, dtype=torch.float64)
    queue.put(float((numbers * factor).sum().item()))


def try_gpu(queue):
    """A child of fork() can't use its parent's context."""
    try:
        torch.ones(3, device=DEVICE)
        queue.put('it can')
    except RuntimeError as error:
        queue.put(str(error)[:60])


def ignore_interrupts():
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def fork_and_exec():
    pid = os.fork()
    if pid == 0:
        os.execv('/bin/true', ['true'])
    return os.waitpid(pid, 0)[1]


def fork_and_exec_into_pipe():
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        os.dup2(writer, 1)
        os.execv('/bin/echo', ['echo', 'from', 'the', 'child'])
    os.close(writer)
    with open(reader, 'rb') as file:
        said = file.read()
    return said, os.waitpid(pid, 0)[1]


def fork_and_fail_to_exec():
    pid = os.fork()
    if pid == 0:
        try:
            os.execv('/nonexistent', ['nonexistent'])
        except OSError as error:
            os._exit(error.errno)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def run(*words, **how):
    return subprocess.run(words, stdout=subprocess.PIPE, check=True,
                          **how).stdout


EXECS = {
    'fork, exec': fork_and_exec,
    'fork, pipe, exec': fork_and_exec_into_pipe,
    'preexec_fn': lambda: run('sh', '-c', 'echo y', preexec_fn=os.setsid),
    'preexec_fn, fds': lambda: run('sh', '-c', 'ls /proc/self/fd | wc -l',
                                   preexec_fn=lambda: None),
    'preexec_fn, input': lambda: run('cat', input=b'abc',
                                     preexec_fn=os.setpgrp),
}
OTHERS = {
    'fork, no exec': fork_and_fail_to_exec,
    'subprocess': lambda: run('echo', 'x'),
    'system': lambda: os.system('exit 3'),
    'popen': lambda: os.popen('echo z').read(),
}


def several(name, start):
    results, times = set(), []
    for _ in range(TIMES):
        began = time.perf_counter()
        results.add(repr(start()))
        times.append((time.perf_counter() - began) * 1e3)
    times.sort()
    print(f'{name}: {times[len(times) // 2]:.2f} ms', file=sys.stderr)
    print(name, sorted(results), flush=True)


def start_all(gpu):
    for beside in 0, 2:
        done, wrong, right = threading.Event(), [], gpu()

        def use_gpu():
            while not done.wait(0.002):
                if gpu() != right:
                    wrong.append(1)

        threads = [threading.Thread(target=use_gpu) for _ in range(beside)]
        for thread in threads:
            thread.start()
        print('threads beside:', beside)
        for name, start in {**EXECS, **OTHERS}.items():
            several(name, start)
        done.set()
        for thread in threads:
            thread.join()
        print('on the GPU:', gpu() == right, len(wrong))


def use_multiprocessing():
    for method in 'fork', 'spawn', 'forkserver':
        context = multiprocessing.get_context(method)
        with context.Pool(4, ignore_interrupts) as pool:
            print(method, pool.map(square, range(20)))
        queue = context.Queue()
        process = context.Process(
            target=try_gpu if method == 'fork' else sum_on_gpu,
            args=(queue,) if method == 'fork' else (queue, 2))
        process.start()
        print(method, queue.get(timeout=120))
        process.join()
        print('ended:', process.exitcode, flush=True)


def load_data():
    for workers, pinned in (4, True), (2, False):
        loader = DataLoader(Squares(), batch_size=16, num_workers=workers,
                            pin_memory=pinned, persistent_workers=not pinned)
        total = 0
        for _ in range(2):
            for values, numbers in loader:
                total += int(values.to(DEVICE).double().sum().item())
                total += int(numbers.sum())
        print('loader:', workers, total, flush=True)


def main():
    numbers = torch.arange(WORDS, dtype=torch.int64)
    generator = torch.Generator().manual_seed(1)
    matrix = torch.randint(-4, 5, (1024, 1024), generator=generator)
    matrix = matrix.double().to(DEVICE)
    pinned = torch.randint(0, 9, (1 << 22,), generator=generator).pin_memory()

    def gpu():
        return (int((matrix @ matrix).sum().item()),
                int(pinned.to(DEVICE, non_blocking=True).sum().item()))

    print(torch.__version__, gpu())
    start_all(gpu)
    use_multiprocessing()
    load_data()
    print('memory:', torch.equal(numbers, torch.arange(WORDS)), gpu())


if __name__ == '__main__':
    main()

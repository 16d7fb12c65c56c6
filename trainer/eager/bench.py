"""Speed of acai-trainer's step (benches/step.rs) against the same step in eager PyTorch, for every model.

Both train on lines32, by default at the paper's sizes, on the CPU and take turns, window by window, because on a shared machine only
interleaved figures compare. What else runs there can only slow a window, so ratios are of the fastest windows. Eager
PyTorch gets its images for nothing; the trainer draws its batches within the measured time. Eager counts at the better
of both memory formats. Ends with exit code 1 if the trainer is slower than 0.95 times eager at any model. --compile adds
PyTorch compiled by torch.compile, in the modes named, which takes a C++ compiler and minutes a model.

On a machine too busy for that, --cpu-time counts images by processor time, at one thread.

    python trainer/eager/bench.py [--models acai vae] [--rounds 10] [--threads 2 | --cpu-time] [--depth 16] [--batch 64]
        [--compile default max-autotune]
"""

import argparse
import contextlib
import functools
import json
import statistics
import subprocess
import sys
import time

import torch
import torch._functorch.config

from models import MODELS

DEPTH, LATENT, BATCH = 16, 16, 64
WINDOW_S = 1.0
SLOWEST = 0.95


class Fresh:
    """Random numbers of a step."""

    alpha = staticmethod(lambda x: 0.5 - (torch.rand(len(x)) - 0.5).abs())
    keep = staticmethod(torch.rand_like)
    noise = epsilon = prior = staticmethod(torch.randn_like)


class Eager:
    def __init__(self, kind, depth, batch, memory_format, precision="fp32", compiled=None):
        self.model = MODELS[kind](kind, depth, LATENT, 4 if kind == "vqvae" else 2)
        self.losses = self.model.losses
        if compiled:
            # Gradients of several losses go the same way back.
            torch._functorch.config.donated_buffer = False
            self.losses = torch.compile(self.losses, mode=compiled)
        for name, weight in self.model.weights.items():
            if weight.dim() == 4:
                weight = weight.contiguous(memory_format=memory_format)
            self.model.weights[name] = weight.requires_grad_()
        groups = [{"params": list(self.model.parameters(*names).values()), "lr": lr} for names, lr in self.model.groups()]
        self.adam = torch.optim.Adam(groups, fused=True)
        self.x = (torch.rand(batch, 1, 32, 32) * 2 - 1).contiguous(memory_format=memory_format)
        self.labels = torch.randint(10, (batch,))
        autocast = torch.autocast("cpu", torch.bfloat16)
        self.precision = autocast if precision == "bf16" else contextlib.nullcontext()

    def step(self):
        with self.precision:
            losses = self.losses(self.x, self.labels, Fresh)
        for name, gradient in self.model.gradients(losses).items():
            self.model.weights[name].grad = gradient
        self.adam.step()
        self.model.learn_averages()

    def speed(self, threads, clock=time.perf_counter):
        """Images a second of the clock over a window, after a step that is not counted."""
        torch.set_num_threads(threads)
        self.step()
        start, begun, steps = time.perf_counter(), clock(), 0
        while time.perf_counter() - start < WINDOW_S:
            self.step()
            steps += 1
        return steps * len(self.x) / (clock() - begun)


@functools.cache
def program():
    """Builds benches/step.rs; returns the program's path."""
    command = ["cargo", "bench", "--no-run", "-p", "acai-trainer", "--bench", "step", "--message-format", "json"]
    built = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    messages = [json.loads(line) for line in built]  # of acai-trainer too, which cargo builds along
    return next(m["executable"] for m in messages if m.get("executable") and m["target"]["name"] == "step")


class Trainer:
    """A process of benches/step.rs, measured a window at a time."""

    def __init__(self):
        self.process = subprocess.Popen([program(), "cpu"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, kind, depth, batch, threads, group=1, precision="fp32"):
        self.process.stdin.write(f"{kind} {depth} {batch} {threads} {group} {precision}\n")
        self.process.stdin.flush()

    def answer(self):
        speed, self.per_cpu_second, self.peak_mib = map(float, self.process.stdout.readline().split())
        return speed

    def speed(self, *what, clock=time.perf_counter):
        self.ask(*what)
        speed = self.answer()
        return self.per_cpu_second if clock is time.process_time else speed


def interleaved(rounds, measurements):
    """Windows of each measurement by name, taken in turns."""
    windows = {name: [] for name in measurements}
    for _ in range(rounds):
        for name, measure in measurements.items():
            windows[name].append(measure())
    return windows


def second(clock):
    return "s of processor time" if clock is time.process_time else "s"


def figure(windows):
    return f"{max(windows):.0f} ({statistics.median(windows):.0f})"


def models(kinds, rounds, threads, depth, batch, clock, modes):
    """Every model beside its twin; returns the ratios."""
    print(f"\ndepth {depth}, batch {batch}, threads {threads}: images/{second(clock)}, fastest (median) of {rounds} "
          "interleaved windows\n")
    others = ["eager NCHW", "eager channels-last", *(f"torch.compile, {mode}" for mode in modes)]
    columns = ["model", "acai-trainer", *others, "acai-trainer / best eager"]
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    ratios = []
    for kind in kinds:
        trainer = Trainer()
        sizes = (kind, depth, batch)
        twins = [Eager(*sizes, layout) for layout in (torch.contiguous_format, torch.channels_last)]
        twins += [Eager(*sizes, torch.channels_last, compiled=mode) for mode in modes]
        measurements = {"ours": lambda: trainer.speed(*sizes, threads, clock=clock)}
        measurements |= {name: functools.partial(twin.speed, threads, clock) for name, twin in zip(others, twins)}
        windows = interleaved(rounds, measurements)
        ratios.append(max(windows["ours"]) / max(windows[others[0]] + windows[others[1]]))
        cells = " | ".join(figure(window) for window in windows.values())
        print(f"| {kind} | {cells} | {ratios[-1]:.2f} |", flush=True)
    return ratios


def arrangements(rounds, threads, depth, batch, clock):
    """ACAI in processes, threads, groups and precisions."""
    one, other, fused, half = Trainer(), Trainer(), Trainer(), Trainer()

    def two_processes():
        for trainer in (one, other):
            trainer.ask("acai", depth, batch, 1)
        return one.answer() + other.answer()

    def ours(trainer, *what):
        return lambda: trainer.speed("acai", depth, batch, threads, *what, clock=clock)

    eager = Eager("acai", depth, batch, torch.channels_last, "bf16")
    on = f"{threads} thread{'s' if threads > 1 else ''}"
    # Processor time does not say how two processes get on together.
    side_by_side = {} if clock is time.process_time else {"2 processes × 1 thread": two_processes}
    windows = interleaved(rounds, {
        f"1 process × {on}": ours(one),
        **side_by_side,
        **{f"group of {k} × {on}": ours(fused, k) for k in (2, 4, 8)},
        f"bf16, 1 process × {on}": ours(half, 1, "bf16"),
        f"eager with bf16 autocast, {on}": lambda: eager.speed(threads, clock),
    })
    first = max(next(iter(windows.values())))
    print(f"\nACAI, depth {depth}, batch {batch}: images/{second(clock)} of all runs together, fastest (median) of {rounds} windows\n")
    print("| arrangement | images | to the first |\n|---|---|---|")
    for name, figures in windows.items():
        print(f"| {name} | {figure(figures)} | {max(figures) / first:.2f} |")
    print(f"\nacai-trainer's peak of resident memory, ACAI, batch {batch}: {one.peak_mib:.0f} MiB", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="*", default=[kind for kind in MODELS if kind != "pixels"])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--depth", type=int, default=DEPTH)
    parser.add_argument("--batch", type=int, default=BATCH)
    parser.add_argument("--compile", nargs="*", default=[], metavar="MODE", help="also measure torch.compile in these modes")
    parser.add_argument("--no-arrangements", action="store_true", help="only the models")
    parser.add_argument("--cpu-time", action="store_true", help="count images by processor time, at one thread")
    args = parser.parse_args()
    threads, clock = (1, time.process_time) if args.cpu_time else (args.threads, time.perf_counter)
    ratios = models(args.models, args.rounds, threads, args.depth, args.batch, clock, args.compile)
    if not args.no_arrangements:
        arrangements(args.rounds, threads, args.depth, args.batch, clock)
    slow = [kind for kind, ratio in zip(args.models, ratios) if ratio < SLOWEST]
    if slow:
        sys.exit(f"slower than {SLOWEST} times eager PyTorch: {', '.join(slow)}")


if __name__ == "__main__":
    main()

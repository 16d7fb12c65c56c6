"""Speed of acai-trainer's step (benches/step.rs) against the same step in eager PyTorch.

Both train ACAI on lines32 at the paper's sizes on the CPU, f32, and take turns, window by window, because on
a shared machine only interleaved figures compare. Eager PyTorch gets its images for nothing; the trainer
draws its batches within the measured time. Needs torch; run from the repository:

    python trainer/benches/eager.py [--rounds 5] [--threads 1 2] [--batches 64 16]
"""

import argparse
import statistics
import subprocess
import time

import torch
import torch.nn.functional as F

DEPTH, LATENT, SCALES, LAMBDA, GAMMA = 16, 16, 4, 0.5, 0.2
WINDOW_S = 2.0


class Convolutions(torch.nn.ModuleList):
    """Convolutions with 'same' padding, from a list of (inputs, outputs, kernel)."""

    def __init__(self, sizes):
        super().__init__(torch.nn.Conv2d(i, o, k, padding=k // 2) for i, o, k in sizes)
        for conv in self:
            torch.nn.init.normal_(conv.weight, std=(1.04 * conv.weight[0].numel()) ** -0.5)
            torch.nn.init.zeros_(conv.bias)


class Encoder(Convolutions):
    def __init__(self):
        sizes, channels = [(1, DEPTH, 1)], DEPTH
        for scale in range(SCALES):
            sizes += [(channels, DEPTH << scale, 3), (DEPTH << scale, DEPTH << scale, 3)]
            channels = DEPTH << scale
        super().__init__(sizes + [(channels, DEPTH << SCALES, 3), (DEPTH << SCALES, LATENT, 3)])

    def forward(self, x):
        convs = iter(self)
        x = next(convs)(x)
        for _ in range(SCALES):
            x = F.leaky_relu(next(convs)(x), 0.2, inplace=True)
            x = F.leaky_relu(next(convs)(x), 0.2, inplace=True)
            x = F.avg_pool2d(x, 2)
        x = F.leaky_relu(next(convs)(x), 0.2, inplace=True)
        return next(convs)(x)


class Decoder(Convolutions):
    def __init__(self):
        sizes, channels = [], LATENT
        for scale in reversed(range(SCALES)):
            sizes += [(channels, DEPTH << scale, 3), (DEPTH << scale, DEPTH << scale, 3)]
            channels = DEPTH << scale
        super().__init__(sizes + [(channels, DEPTH, 3), (DEPTH, 1, 3)])

    def forward(self, z):
        convs = iter(self)
        for _ in range(SCALES):
            z = F.leaky_relu(next(convs)(z), 0.2, inplace=True)
            z = F.leaky_relu(next(convs)(z), 0.2, inplace=True)
            z = F.interpolate(z, scale_factor=2)
        z = F.leaky_relu(next(convs)(z), 0.2, inplace=True)
        return next(convs)(z)


class Eager:
    """The step of src/model/acai.rs in eager PyTorch."""

    def __init__(self, batch, memory_format):
        networks = Encoder(), Decoder(), Encoder(), torch.nn.Linear(LATENT * 4, 10)
        self.encoder, self.decoder, self.critic, self.classifier = (
            network.to(memory_format=memory_format) for network in networks
        )
        self.leaves = [list(network.parameters()) for network in networks]
        self.adam = torch.optim.Adam(sum(self.leaves, []), lr=1e-4, fused=True)
        images = torch.rand(batch, 1, 32, 32) * 2 - 1
        self.x = images.contiguous(memory_format=memory_format)
        self.labels = torch.randint(10, (batch,))
        self.batch = batch

    def step(self):
        x, n = self.x, self.batch
        z = self.encoder(x)
        alpha = 0.5 - (torch.rand(n, 1, 1, 1) - 0.5).abs()
        both = self.decoder(torch.cat([z, alpha * z + (1 - alpha) * z.flip(0)]))
        decoded, x_mix = both[:n], both[n:]
        disc_mix = self.critic(x_mix).mean((1, 2, 3))
        disc_real = self.critic(torch.lerp(decoded.detach(), x, GAMMA)).mean((1, 2, 3))
        loss_disc = F.mse_loss(disc_mix, alpha.flatten()) + disc_real.square().mean()
        loss_ae = F.mse_loss(decoded, x) + LAMBDA * disc_mix.square().mean()
        loss_classifier = F.cross_entropy(self.classifier(z.detach().flatten(1)), self.labels)
        encoder, decoder, critic, classifier = self.leaves
        of_critic = torch.autograd.grad(loss_disc, critic, retain_graph=True)
        of_others = torch.autograd.grad(loss_ae + loss_classifier, encoder + decoder + classifier)
        ordered = encoder + decoder + classifier + critic
        for leaf, gradient in zip(ordered, of_others + of_critic):
            leaf.grad = gradient
        self.adam.step()

    def speed(self, threads):
        """Images a second over a window, after a step that is not counted."""
        torch.set_num_threads(threads)
        self.step()
        start, steps = time.perf_counter(), 0
        while time.perf_counter() - start < WINDOW_S:
            self.step()
            steps += 1
        return steps * self.batch / (time.perf_counter() - start)


class Trainer:
    """benches/step.rs, measured a window at a time."""

    def __init__(self):
        command = ["cargo", "bench", "-q", "-p", "acai-trainer", "--bench", "step"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.peak_mib = 0

    def speed(self, batch, threads, model="acai", group=1, precision="fp32"):
        self.process.stdin.write(f"{model} {batch} {threads} {group} {precision}\n")
        self.process.stdin.flush()
        speed, self.peak_mib = self.process.stdout.readline().split()
        return float(speed)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--batches", type=int, nargs="+", default=[64, 16])
    args = parser.parse_args()
    trainer = Trainer()
    print(f"images/s, median of {args.rounds} interleaved windows [lowest to highest]")
    for batch in args.batches:
        eager = {
            "eager NCHW": Eager(batch, torch.contiguous_format),
            "eager channels-last": Eager(batch, torch.channels_last),
        }
        for threads in args.threads:
            speeds = {"acai-trainer": [], **{name: [] for name in eager}}
            for _ in range(args.rounds):
                speeds["acai-trainer"].append(trainer.speed(batch, threads))
                for name, training in eager.items():
                    speeds[name].append(training.speed(threads))
            report(batch, threads, speeds)
    print(f"acai-trainer's peak of resident memory: {trainer.peak_mib} MiB")


def report(batch, threads, speeds):
    ours = statistics.median(speeds["acai-trainer"])
    print(f"batch {batch}, threads {threads}")
    for name, figures in speeds.items():
        median = statistics.median(figures)
        ratio = "" if name == "acai-trainer" else f", acai-trainer is {ours / median:.2f} times as fast"
        print(f"  {name:20} {median:6.0f} [{min(figures):.0f} to {max(figures):.0f}]{ratio}", flush=True)


if __name__ == "__main__":
    main()

"""The models that strings are trained on, in eager PyTorch, by one-dimensional convolutions of logits of characters. Writes
../tests/golden/strings_golden.safetensors, two steps of each in f64 from one set of initial weights:

    pip install torch==2.11.0 numpy safetensors && python3 trainer/eager/strings.py

Tensors as those of golden.py.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

OUTPUT = Path(__file__).parents[1] / "tests/golden/strings_golden.safetensors"
OPTIONS = {"dtype": torch.float64}
SYMBOLS, LENGTH, DEPTH, LATENT, LATENT_WIDTH, SCALES = 32, 32, 2, 1, 4, 3
H = LATENT * LATENT_WIDTH
BATCH, STEPS, CLASSES = 4, 2, 10
LR, LAMBDA, GAMMA, BETA, REPLACED, KEEP = 1e-3, 0.5, 0.2, 0.7, 0.3, 0.6


def shapes():
    def encoder(name):
        sizes, channels = [(DEPTH, SYMBOLS, 1)], DEPTH
        for scale in range(SCALES):
            sizes += [(DEPTH << scale, channels, 3), (DEPTH << scale, DEPTH << scale, 3)]
            channels = DEPTH << scale
        sizes += [(DEPTH << SCALES, channels, 3), (LATENT, DEPTH << SCALES, 3)]
        return {f"{name}.{i}": size for i, size in enumerate(sizes)}

    sizes, channels = [], LATENT
    for scale in reversed(range(SCALES)):
        sizes += [(DEPTH << scale, channels, 3), (DEPTH << scale, DEPTH << scale, 3)]
        channels = DEPTH << scale
    sizes += [(DEPTH, channels, 3), (SYMBOLS, DEPTH, 3)]
    decoder = {f"decoder.{i}": size for i, size in enumerate(sizes)}
    dense = {"classifier": (CLASSES, H), "mean": (H, H), "log_variance": (H, H)}
    return encoder("encoder") | decoder | encoder("critic") | dense


def layers(weights, name):
    count = sum(key.startswith(f"{name}.") for key in weights) // 2
    for i in range(count):
        weight, bias = weights[f"{name}.{i}.weight"], weights[f"{name}.{i}.bias"]
        yield lambda x, weight=weight, bias=bias: F.conv1d(x, weight, bias, padding=weight.shape[-1] // 2)


def leaky(x):
    return torch.maximum(x, 0.2 * x)


def encode(weights, x, name="encoder"):
    """[n, 32 symbols, 32] -> [n, latent, w]"""
    first, *rest = layers(weights, name)
    x = first(x)
    for one, two in zip(rest[:-2:2], rest[1:-2:2]):
        x = leaky(two(leaky(one(x))))
        x = (x[..., ::2] + x[..., 1::2]) / 2
    return rest[-1](leaky(rest[-2](x)))


def decode(weights, z):
    """[n, latent, w] -> logits [n, 32 symbols, 32]"""
    rest = list(layers(weights, "decoder"))
    for one, two in zip(rest[:-2:2], rest[1:-2:2]):
        z = leaky(two(leaky(one(z)))).repeat_interleave(2, -1)
    return rest[-1](leaky(rest[-2](z)))


def dense(weights, name, x):
    return F.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])


def shown(logits):
    return SYMBOLS**0.5 * logits.softmax(1)


def nats(logits, strings):
    """Cross-entropy of a character."""
    return F.cross_entropy(logits, strings)


def losses(kind, weights, strings, labels, draws):
    x = F.one_hot(strings, SYMBOLS).to(torch.float64).transpose(1, 2) * SYMBOLS**0.5
    seen = x
    if kind == "denoising":
        is_replaced, by = draws["replaced"].chunk(2, 1)
        replaced = torch.where(is_replaced < REPLACED, (by * SYMBOLS).long(), strings)
        seen = F.one_hot(replaced, SYMBOLS).to(torch.float64).transpose(1, 2) * SYMBOLS**0.5
    h = encode(weights, seen)
    clean = encode(weights, x)
    found = {"loss_classifier": F.cross_entropy(dense(weights, "classifier", clean.detach().flatten(1)), labels)}
    z = mixable = h
    if "vae" in kind:
        mean, log_variance = (dense(weights, name, h.flatten(1)).view_as(h) for name in ("mean", "log_variance"))
        mixable = mean
        z = mean + torch.exp(log_variance / 2) * draws["epsilon"].view_as(h)
    if kind == "dropout":
        z = z * (draws["keep"].view_as(z) < KEEP) / KEEP
    logits = decode(weights, z)
    if "vae" in kind:
        found["loss_likelihood"] = LENGTH * nats(logits, strings)
        found["loss_kl"] = 0.5 * (mean.square() + log_variance.exp() - log_variance - 1).sum() / BATCH
        found["loss_ae"] = found["loss_likelihood"] + BETA * found["loss_kl"]
    else:
        found["loss_ae"] = nats(logits, strings)
    if "acai" in kind:
        alpha = draws["alpha"].view(-1, 1, 1)
        mixed = shown(decode(weights, alpha * mixable + (1 - alpha) * mixable.flip(0)))
        guess = encode(weights, mixed, "critic").mean((1, 2))
        real = encode(weights, GAMMA * x + (1 - GAMMA) * shown(logits).detach(), "critic").mean((1, 2))
        found["loss_ae_disc"] = guess.square().mean()
        found["loss_disc"] = (guess - draws["alpha"]).square().mean()
        found["loss_disc_real"] = real.square().mean()
    return found


def objectives(found):
    own = found["loss_ae"] + found["loss_classifier"] + LAMBDA * found.get("loss_ae_disc", 0)
    critics = found.get("loss_disc", 0) + found.get("loss_disc_real", 0)
    return own, critics


def networks(kind):
    own = ["encoder", "decoder", "classifier"] + ["mean", "log_variance"] * ("vae" in kind)
    return own, ["critic"] * ("acai" in kind)


def main():
    torch.manual_seed(0)
    tensors, batches = {}, []
    for step, labels in enumerate([[0, 1, 2, 3], [7, 9, 9, 0]]):
        strings, labels = torch.randint(SYMBOLS, (BATCH, LENGTH)), torch.tensor(labels)
        draws = {
            "alpha": torch.rand(BATCH, **OPTIONS) / 2,
            "replaced": torch.rand(BATCH, 2 * LENGTH, **OPTIONS),
            "keep": torch.rand(BATCH, H, **OPTIONS),
            "epsilon": torch.randn(BATCH, H, **OPTIONS),
        }
        batches.append((strings, labels, draws))
        tensors |= {f"step{step}.strings": strings, f"step{step}.labels": labels}
        tensors |= {f"step{step}.draw.{name}": draw for name, draw in draws.items()}

    init = {}
    for name, size in shapes().items():
        fan_in = torch.Size(size[1:]).numel()
        init[f"{name}.weight"] = torch.randn(size, **OPTIONS) * (1.04 * fan_in) ** -0.5
        init[f"{name}.bias"] = 0.01 * torch.randn(size[0], **OPTIONS)
    tensors |= {f"init.{name}": weight for name, weight in init.items()}

    for kind in ["baseline", "dropout", "denoising", "vae", "acai", "acai_vae"]:
        own, critic = networks(kind)
        weights = {name: w.clone().requires_grad_() for name, w in init.items() if name.split(".")[0] in own + critic}
        optimizer = torch.optim.Adam(weights.values(), lr=LR, eps=1e-8)
        for step, batch in enumerate(batches):
            found = losses(kind, weights, *batch)
            for objective, names in zip(objectives(found), (own, critic)):
                trained = {name: w for name, w in weights.items() if name.split(".")[0] in names}
                if trained:
                    gradients = torch.autograd.grad(objective, list(trained.values()), retain_graph=True)
                    for weight, gradient in zip(trained.values(), gradients):
                        weight.grad = gradient
            optimizer.step()
            tensors |= {f"{kind}.step{step}.{loss}": value.detach().view(1) for loss, value in found.items()}
        tensors |= {f"{kind}.final.{name}": weight.detach() for name, weight in weights.items()}
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, OUTPUT)
    print(f"wrote {OUTPUT} ({OUTPUT.stat().st_size / 1024:.0f} KiB)")


if __name__ == "__main__":
    main()

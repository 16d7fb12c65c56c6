"""Writes ../tests/golden/models_golden.safetensors: two steps of every model in f64, from one set of initial weights.

    pip install torch==2.11.0 numpy safetensors && python3 trainer/eager/golden.py

Tensors: `init.PARAMETER` (shared by all models but the classifier of `pixels`, `init.pixels.…`), `stepS.x`, `stepS.labels`,
`stepS.draw.NAME`, `MODEL.stepS.LOSS`, `MODEL.final.PARAMETER`; of vqvae `codebook` and its averages too.
"""

from pathlib import Path

import torch
from safetensors.torch import save_file

from models import MODELS

OUTPUT = Path(__file__).parents[1] / "tests/golden/models_golden.safetensors"
OPTIONS = {"dtype": torch.float64}
SIZES = {"depth": 2, "latent": 1, "latent_width": 4, "codes": 16, "vectors": 3, "options": OPTIONS}
BATCH, STEPS, H = 4, 2, 16


class Stored:
    """The random numbers of one step."""

    def __init__(self):
        self.tensors = {
            "alpha": torch.rand(BATCH, **OPTIONS) / 2,
            "noise": torch.randn(BATCH, 32 * 32, **OPTIONS),
            "keep": torch.rand(BATCH, H, **OPTIONS),
            "epsilon": torch.randn(BATCH, H, **OPTIONS),
            "prior": torch.randn(BATCH, H, **OPTIONS),
        }

    def __getattr__(self, name):
        return lambda like: self.tensors[name].view(-1) if name == "alpha" else self.tensors[name].view_as(like)


def adam(model):
    return torch.optim.Adam(
        [{"params": list(model.parameters(*networks).values()), "lr": lr} for networks, lr in model.groups()], eps=1e-8
    )


def main():
    torch.manual_seed(0)
    draws = [Stored() for _ in range(STEPS)]
    # Smooth, unlike each other, and nowhere at a kink of the first layers.
    grid = torch.arange(BATCH * 32 * 32, **OPTIONS)
    images = [torch.sin(grid * (0.11 + 0.07 * step)).view(BATCH, 1, 32, 32) * 0.9 for step in range(STEPS)]
    labels = [torch.tensor([0, 1, 2, 3]), torch.tensor([7, 9, 9, 0])]
    tensors = {}
    for step in range(STEPS):
        tensors |= {f"step{step}.x": images[step], f"step{step}.labels": labels[step]}
        tensors |= {f"step{step}.draw.{name}": draw for name, draw in draws[step].tensors.items()}

    init = {}
    for name, model in MODELS.items():
        model = model(name, **SIZES)
        for parameter, weight in model.weights.items():
            key = f"pixels.{parameter}" if name == "pixels" else parameter
            weight = init.setdefault(key, weight + 0.01 * torch.randn_like(weight))
            model.weights[parameter] = weight.clone().requires_grad_()
        if name == "vqvae":
            init["codebook"] = model.codebook.clone()
        optimizer = adam(model)
        for step in range(STEPS):
            losses = model.losses(images[step], labels[step], draws[step])
            gradients = model.gradients(losses)
            for parameter, gradient in gradients.items():
                model.weights[parameter].grad = gradient
            optimizer.step()
            model.learn_averages()
            tensors |= {f"{name}.step{step}.{loss}": value.detach().view(1) for loss, value in losses.items()}
        tensors |= {f"{name}.final.{parameter}": weight.detach() for parameter, weight in model.weights.items()}
        if name == "vqvae":
            averages = {"codebook": model.codebook, "codebook_counts": model.counts, "codebook_sums": model.sums}
            tensors |= {f"{name}.final.{average}": value for average, value in averages.items()}
    tensors |= {f"init.{parameter}": weight for parameter, weight in init.items()}
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, OUTPUT)
    print(f"wrote {OUTPUT} ({OUTPUT.stat().st_size / 1024:.0f} KiB)")


if __name__ == "__main__":
    main()

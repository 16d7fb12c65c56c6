"""Images a second of the ACAI lines32 step in eager PyTorch on the GPU, batch 64, fp32 without TF32."""

import time

import torch

from models import MODELS

BATCH, WINDOW_S = 64, 2.0


class Fresh:
    alpha = staticmethod(lambda x: 0.5 - (torch.rand(len(x), device=x.device) - 0.5).abs())


def main():
    torch.set_default_device("cuda")
    for layout in (torch.contiguous_format, torch.channels_last):
        model = MODELS["acai"]("acai", 16, 16, 2)
        for name, weight in model.weights.items():
            weight = weight.contiguous(memory_format=layout) if weight.dim() == 4 else weight
            model.weights[name] = weight.requires_grad_()
        groups = [{"params": list(model.parameters(*names).values()), "lr": lr} for names, lr in model.groups()]
        adam = torch.optim.Adam(groups, fused=True)
        x = (torch.rand(BATCH, 1, 32, 32) * 2 - 1).contiguous(memory_format=layout)
        labels = torch.randint(10, (BATCH,))

        def step():
            for name, gradient in model.gradients(model.losses(x, labels, Fresh)).items():
                model.weights[name].grad = gradient
            adam.step()

        for _ in range(10):
            step()
        torch.cuda.synchronize()
        start, steps = time.perf_counter(), 0
        while time.perf_counter() - start < WINDOW_S:
            for _ in range(10):
                step()
            torch.cuda.synchronize()
            steps += 10
        speed = steps * BATCH / (time.perf_counter() - start)
        print(f"{layout}: {speed:.0f} images/s, peak {torch.cuda.max_memory_allocated() >> 20} MiB of tensors")


if __name__ == "__main__":
    main()

"""The networks of Berthelot et al. 2018 (appendix), as functions of named weights."""

import torch
import torch.nn.functional as F

WIDTH = 32
HIDDEN = {"discriminator": 100, "vqvae": 512}


def initial(shapes, options):
    """Weights by name: convolutions and dense layers at the scale they start from, biases 0."""
    weights = {}
    for name, shape in shapes.items():
        fan_in = shape[1:].numel()
        scale = (1.04 * fan_in) ** -0.5 if name != "codebook" else (3 * shape[0]) ** -0.5
        weights[f"{name}.weight" if name != "codebook" else name] = torch.randn(shape, **options) * scale
        if name != "codebook":
            weights[f"{name}.bias"] = torch.zeros(shape[0], **options)
    return weights


def encoder_shapes(name, colours, depth, latent, scales):
    sizes, channels = [(depth, colours, 1, 1)], depth
    for scale in range(scales):
        sizes += [(depth << scale, channels, 3, 3), (depth << scale, depth << scale, 3, 3)]
        channels = depth << scale
    sizes += [(depth << scales, channels, 3, 3), (latent, depth << scales, 3, 3)]
    return {f"{name}.{i}": torch.Size(size) for i, size in enumerate(sizes)}


def decoder_shapes(colours, depth, latent, scales):
    sizes, channels = [], latent
    for scale in reversed(range(scales)):
        sizes += [(depth << scale, channels, 3, 3), (depth << scale, depth << scale, 3, 3)]
        channels = depth << scale
    sizes += [(depth, channels, 3, 3), (colours, depth, 3, 3)]
    return {f"decoder.{i}": torch.Size(size) for i, size in enumerate(sizes)}


def convolutions(weights, name):
    """The convolutions of a network in order, each a function."""
    for i in range(sum(key.startswith(f"{name}.") for key in weights) // 2):
        weight, bias = weights[f"{name}.{i}.weight"], weights[f"{name}.{i}.bias"]
        yield lambda x, weight=weight, bias=bias: F.conv2d(x, weight, bias, padding=weight.shape[-1] // 2)


def encode(weights, x, name="encoder"):
    """[n, c, 32, 32] -> [n, latent, w, w]"""
    first, *layers = convolutions(weights, name)
    x = first(x)
    for one, two in zip(layers[:-2:2], layers[1:-2:2]):
        x = F.leaky_relu(one(x), 0.2, inplace=True)
        x = F.leaky_relu(two(x), 0.2, inplace=True)
        x = F.avg_pool2d(x, 2)
    return layers[-1](F.leaky_relu(layers[-2](x), 0.2, inplace=True))


def decode(weights, z):
    """[n, latent, w, w] -> [n, c, 32, 32]"""
    layers = list(convolutions(weights, "decoder"))
    for one, two in zip(layers[:-2:2], layers[1:-2:2]):
        z = F.leaky_relu(one(z), 0.2, inplace=True)
        z = F.leaky_relu(two(z), 0.2, inplace=True)
        z = F.interpolate(z, scale_factor=2)
    return layers[-1](F.leaky_relu(layers[-2](z), 0.2, inplace=True))


def criticise(weights, x):
    """[n, c, 32, 32] -> [n]"""
    return encode(weights, x, "critic").mean((1, 2, 3))


def dense(weights, name, x):
    """[n, in] -> [n, out]"""
    return F.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])

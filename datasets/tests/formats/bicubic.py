"""Writes bicubic_golden.bin: a picture of CelebA's size at 32x32, as TensorFlow 1 scales its middle in the authors' code.

    pip install numpy && python3 bicubic.py

TensorFlow 1 no longer installs, so this is the definition of its `resize_bicubic` with `align_corners` and
`half_pixel_centers` off, as two matrices of weights.
"""

import numpy as np

y, x, colour = np.mgrid[:218, :178, :3]
picture = (7 * x * y + 3 * x * x + 5 * y * colour) % 256
middle = picture[36:-36, 16:-16].astype(float)


def cubic(distance, a=-0.75):
    x = abs(distance)
    near = (a + 2) * x**3 - (a + 3) * x**2 + 1
    far = a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a
    return np.where(x <= 1, near, np.where(x < 2, far, 0))


def weights(size):
    """[32, size]: how much each pixel counts; those beyond the border count for the one at the border."""
    places = np.arange(32) * (size / 32)
    sources = np.arange(-2, size + 2)
    beyond = cubic(sources - places[:, None])
    inside = np.zeros((32, size))
    np.add.at(inside, (slice(None), sources.clip(0, size - 1)), beyond)
    return inside


rows, columns = (weights(size) for size in middle.shape[:2])
small = np.einsum("iy,yxc,jx->cij", rows, middle, columns)
np.floor(small + 0.5).clip(0, 255).astype(np.uint8).tofile("bicubic_golden.bin")
print(f"{small.min():.1f} to {small.max():.1f}; {abs(small % 1 - 0.5).min():.1e} from the next half")

"""Writes mnist32, svhn32 and cifar10 in small: the formats of the published files, the digits of digits32 in them.

Usage: small_data.py DATA, a folder to make. Each has 400 images to train on, or a little more, and 100 to test on.
"""

import csv
import gzip
import pathlib
import struct
import sys

SOURCE = pathlib.Path(__file__).parents[3] / "trainer/src/data/digits.csv.gz"
TRAIN, TEST = 400, 100


def digits():
    """Pixels of 8 × 8 from 0 to 16, and the digit that they show."""
    with gzip.open(SOURCE, "rt") as lines:
        rows = [[int(float(cell)) for cell in row] for row in csv.reader(lines) if row and row[0][0].isdigit()]
    return [(row[:64], row[64]) for row in rows]


def enlarged(pixels, width):
    """Rows of `width` pixels from 0 to 255, by the nearest of the 8 × 8."""
    at = [place * 8 // width for place in range(width)]
    return [[min(255, pixels[row * 8 + column] * 16) for column in at] for row in at]


def idx(magic, sizes, values):
    return struct.pack(f">I{len(sizes)}I", magic, *sizes) + bytes(values)


def mnist(folder, name, part):
    images = [pixel for pixels, _ in part for row in enlarged(pixels, 28) for pixel in row]
    (folder / f"{name}-images-idx3-ubyte").write_bytes(idx(0x803, [len(part), 28, 28], images))
    (folder / f"{name}-labels-idx1-ubyte").write_bytes(idx(0x801, [len(part)], [digit for _, digit in part]))


def coloured(pixels):
    """A digit in three colours, each darker than the one before."""
    rows = enlarged(pixels, 32)
    return [[[pixel // (colour + 1) for pixel in row] for row in rows] for colour in range(3)]


def element(kind, values):
    padding = bytes(-len(values) % 8)
    return struct.pack("<II", kind, len(values)) + values + padding


def array(name, sizes, values):
    """An array of bytes, as MATLAB 5 keeps it."""
    small_name = struct.pack("<HH4s", 1, len(name), name)
    parts = [element(6, bytes([9]) + bytes(7)), element(5, struct.pack(f"<{len(sizes)}I", *sizes)), small_name]
    return element(14, b"".join(parts) + element(2, bytes(values)))


def svhn(path, part):
    # MATLAB's order: the first index, the row, varies fastest.
    images = [colour[row][column] for pixels, _ in part for colour in coloured(pixels) for column in range(32) for row in range(32)]
    labels = [digit or 10 for _, digit in part]
    header = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM"
    path.write_bytes(header + array(b"X", [32, 32, 3, len(part)], images) + array(b"y", [len(part), 1], labels))


def cifar(path, part):
    image = lambda pixels: bytes(pixel for colour in coloured(pixels) for row in colour for pixel in row)
    path.write_bytes(b"".join(bytes([digit]) + image(pixels) for pixels, digit in part))


def main():
    folder = pathlib.Path(sys.argv[1])
    for name in "mnist", "svhn", "cifar10/cifar-10-batches-bin":
        (folder / name).mkdir(parents=True)
    everything = digits()
    train, test = everything[:TRAIN], everything[TRAIN : TRAIN + TEST]
    mnist(folder / "mnist", "train", train)
    mnist(folder / "mnist", "t10k", test)
    svhn(folder / "svhn/train_32x32.mat", train)
    svhn(folder / "svhn/extra_32x32.mat", everything[TRAIN + TEST : TRAIN + TEST + 20])
    svhn(folder / "svhn/test_32x32.mat", test)
    batch = TRAIN // 5
    for number in range(5):
        part = train[number * batch : (number + 1) * batch]
        cifar(folder / f"cifar10/cifar-10-batches-bin/data_batch_{number + 1}.bin", part)
    cifar(folder / "cifar10/cifar-10-batches-bin/test_batch.bin", test)


main()

"""Renders assets/images/still_life.png: an apple, a cup and a book on a table by a window.

The picture of "how a computer sees". It is computed here from a description of the scene, so the
project owns it whole. Every ray is marched through a signed distance field (Hart 1996, "Sphere
tracing") and lit by one large window with soft shadows; nothing is drawn by hand.

usage: python scripts/make_picture.py [WIDTH]
"""

from __future__ import annotations

import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
TARGET = Path(__file__).resolve().parent.parent / "assets" / "images" / "still_life.png"
SAMPLES = 3  # per pixel and axis
EYE = np.array([0.0, 2.6, 4.6])
LOOK_AT = np.array([0.2, 0.42, 0.0])
LIGHT = np.array([-3.2, 4.2, 2.4])

TABLE, APPLE, STALK, LEAF, CUP, TEA, BOOK, PAGES, WALL = range(9)
COLOURS = np.array(
    [
        [0.60, 0.42, 0.27],  # table
        [0.78, 0.16, 0.12],  # apple
        [0.30, 0.20, 0.12],  # stalk
        [0.32, 0.52, 0.20],  # leaf
        [0.86, 0.88, 0.90],  # cup
        [0.42, 0.20, 0.07],  # tea
        [0.13, 0.33, 0.46],  # book
        [0.93, 0.89, 0.80],  # pages
        [0.58, 0.64, 0.68],  # wall
    ]
)
SHINE = np.array([0.10, 0.55, 0.1, 0.15, 0.65, 0.4, 0.12, 0.02, 0.0])


def length(*parts: Array) -> Array:
    return np.sqrt(sum(part * part for part in parts))


def box(
    p: Array, centre: tuple[float, float, float], half: tuple[float, float, float], turn: float
) -> Array:
    q = p - np.array(centre)
    c, s = np.cos(turn), np.sin(turn)
    x, z = c * q[..., 0] - s * q[..., 2], s * q[..., 0] + c * q[..., 2]
    d = np.stack([np.abs(x) - half[0], np.abs(q[..., 1]) - half[1], np.abs(z) - half[2]], -1)
    return length(*np.moveaxis(np.maximum(d, 0), -1, 0)) + np.minimum(d.max(-1), 0) - 0.02


def apple(p: Array) -> Array:
    q = p - np.array([-0.95, 0.36, 0.55])
    radius = length(q[..., 0], q[..., 2])
    # A ball, pinched at the axis and drawn in towards the bottom.
    squeeze = 1.0 + 0.13 * q[..., 1]
    ring = length(radius / squeeze - 0.27, q[..., 1] * 0.93) - 0.34
    return np.asarray(ring * 0.8)


def stalk(p: Array) -> Array:
    q = p - np.array([-0.93, 0.60, 0.55])
    bend = 0.25 * q[..., 1] ** 2
    height = np.clip(q[..., 1], 0.0, 0.34)
    return length(q[..., 0] - bend, q[..., 1] - height, q[..., 2]) - 0.028


def leaf(p: Array) -> Array:
    q = p - np.array([-0.74, 0.87, 0.57])
    flat = length(q[..., 0] / 1.9, (q[..., 1] - 0.22 * q[..., 0]) * 2.2, q[..., 2]) - 0.11
    return flat * 0.4


def cup(p: Array) -> Array:
    q = p - np.array([0.42, 0.0, 0.35])
    radius = length(q[..., 0], q[..., 2])
    wall = 0.40 + 0.10 * np.clip(q[..., 1], 0, 1)
    outside = np.maximum(radius - wall, np.abs(q[..., 1] - 0.45) - 0.45)
    hollow = np.maximum(outside, -np.maximum(radius - wall + 0.05, 0.07 - q[..., 1]))
    h = q - np.array([0.47, 0.47, 0.0])
    handle = length(length(h[..., 0], h[..., 1]) - 0.23, h[..., 2]) - 0.05
    handle = np.maximum(handle, 0.42 - radius)
    return np.asarray(np.minimum(hollow, handle) * 0.85 - 0.012)


def tea(p: Array) -> Array:
    q = p - np.array([0.42, 0.0, 0.35])
    return (
        np.maximum(
            length(q[..., 0], q[..., 2]) - 0.37 - 0.1 * q[..., 1], np.abs(q[..., 1] - 0.38) - 0.3
        )
        * 0.9
    )


FIELDS: list[Callable[[Array], Array]] = [
    lambda p: p[..., 1],
    apple,
    stalk,
    leaf,
    cup,
    tea,
    lambda p: np.minimum(
        np.minimum(
            box(p, (1.55, 0.05, -0.35), (0.78, 0.02, 0.55), 0.35),
            box(p, (1.55, 0.37, -0.35), (0.78, 0.02, 0.55), 0.35),
        ),
        box(p, (0.83, 0.21, -0.61), (0.03, 0.16, 0.55), 0.35),
    ),
    lambda p: box(p, (1.54, 0.21, -0.36), (0.72, 0.13, 0.50), 0.35),
    lambda p: p[..., 2] + 3.0,
]


def distance(p: Array) -> Array:
    return np.min([field(p) for field in FIELDS], axis=0)


def march(origin: Array, direction: Array, far: float, steps: int = 110) -> Array:
    """Distance along each ray to the first surface, or ``far``."""
    t = np.full(direction.shape[0], 0.02)
    for _ in range(steps):
        t = np.minimum(t + distance(origin + t[:, None] * direction), far)
    return t


def normals(p: Array) -> Array:
    step = 1e-3
    axes = np.eye(3) * step
    gradient = np.stack([distance(p + a) - distance(p - a) for a in axes], -1)
    return gradient / np.linalg.norm(gradient, axis=-1, keepdims=True)


def soft_shadow(p: Array, towards: Array, far: Array) -> Array:
    """How much of the window each point sees: the nearest miss of a ray towards it."""
    t = np.full(len(p), 0.03)
    seen = np.ones(len(p))
    for _ in range(60):
        d = distance(p + t[:, None] * towards)
        seen = np.minimum(seen, 7.0 * d / t + 0.02)
        t = np.minimum(t + np.clip(d, 0.02, 0.3), far)
    return np.clip(seen, 0.0, 1.0)


def colour_of(p: Array, what: npt.NDArray[np.intp]) -> Array:
    colour = COLOURS[what].copy()
    grain = np.sin(9 * p[:, 2] + 1.3 * np.sin(1.7 * p[:, 0]) + 0.5 * np.sin(11 * p[:, 0]))
    plank = (np.floor(p[:, 2] / 0.62) % 3) * 0.05
    on_table = what == TABLE
    colour[on_table] *= (0.92 + 0.09 * grain - plank)[on_table, None]
    streaks = np.sin(26 * np.arctan2(p[:, 2] - 0.55, p[:, 0] + 0.95) + 4 * p[:, 1])
    ripe = np.clip(0.5 + 0.9 * (p[:, 1] - 0.42) + 0.16 * streaks, 0, 1)
    on_apple = what == APPLE
    yellow = np.array([0.86, 0.66, 0.22])
    colour[on_apple] += ((yellow - COLOURS[APPLE]) * 0.55 * ripe[:, None] ** 2)[on_apple]
    leaves = 0.04 * np.sin(210 * p[:, 1])
    colour[what == PAGES] += leaves[what == PAGES, None]
    on_stripe = (what == CUP) & (np.abs(p[:, 1] - 0.70) < 0.045)
    colour[on_stripe] = [0.20, 0.42, 0.62]
    return colour


def render(width: int, height: int) -> Array:
    forward = (LOOK_AT - EYE) / np.linalg.norm(LOOK_AT - EYE)
    right = np.cross(forward, [0.0, 1.0, 0.0])
    right /= np.linalg.norm(right)
    up = np.cross(right, forward)
    xs = (np.arange(width * SAMPLES) + 0.5) / (width * SAMPLES) * 2 - 1
    ys = 1 - (np.arange(height * SAMPLES) + 0.5) / (height * SAMPLES) * 2
    gx, gy = np.meshgrid(xs, ys * height / width)
    rays = forward + 0.50 * (gx[..., None] * right + gy[..., None] * up)
    rays = rays.reshape(-1, 3) / np.linalg.norm(rays.reshape(-1, 3), axis=-1, keepdims=True)
    out = np.empty_like(rays)
    for start in range(0, len(rays), 40_000):
        ray = rays[start : start + 40_000]
        p = EYE + march(EYE, ray, 20.0)[:, None] * ray
        what = np.argmin([field(p) for field in FIELDS], axis=0)
        normal = normals(p)
        towards = LIGHT - p
        far = np.linalg.norm(towards, axis=-1)
        towards /= far[:, None]
        facing = np.clip((normal * towards).sum(-1), 0, 1)
        light = facing * soft_shadow(p + 0.01 * normal, towards, far) * 24 / far**2
        sky = 0.5 + 0.5 * normal[:, 1]
        near = np.clip(distance(p + 0.18 * normal) / 0.18, 0.25, 1)
        half = towards - ray
        half /= np.linalg.norm(half, axis=-1, keepdims=True)
        gloss = SHINE[what] * np.clip((normal * half).sum(-1), 0, 1) ** 60 * (light > 0.05)
        lamp = light[:, None] * np.array([1.0, 0.94, 0.84])
        ambient = (0.20 * sky * near)[:, None] * np.array([0.82, 0.92, 1.06])
        out[start : start + 40_000] = colour_of(p, what) * (lamp + ambient) + gloss[:, None]
    image = out.reshape(height, SAMPLES, width, SAMPLES, 3).mean(axis=(1, 3))
    return np.clip(1.25 * image / (1 + 0.32 * image), 0, 1) ** (1 / 2.2)


def png(pixels: npt.NDArray[np.uint8]) -> bytes:
    """An 8-bit RGB PNG (ISO/IEC 15948) of pixels shaped (height, width, 3)."""
    height, width, _ = pixels.shape
    rows = np.concatenate([np.zeros((height, 1), np.uint8), pixels.reshape(height, -1)], axis=1)

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows.tobytes(), 9))
        + chunk(b"IEND", b"")
    )


def main() -> None:
    width = int(sys.argv[1]) if len(sys.argv) > 1 else 240
    height = width * 3 // 4
    pixels = np.rint(render(width, height) * 255).astype(np.uint8)
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_bytes(png(pixels))
    print(f"{TARGET.name}: {width} × {height}, {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()

"""Where labels beside an axis go so that none covers another. No Qt."""

from __future__ import annotations

from collections.abc import Sequence


def spread(wanted: Sequence[float], size: float, low: float, high: float) -> list[float | None]:
    """Centres for labels of one size, each as near as can be to where it is wanted.

    Neighbours that would overlap are moved apart around their common mean (pool adjacent
    violators, the least sum of squared moves), then drawn inside low … high. If there is no
    room for all, the last ones given go without (None).
    """
    room = max(0, int((high - low) / size)) if size > 0 else 0
    kept = sorted(range(min(room, len(wanted))), key=lambda i: wanted[i])
    # Subtracting the stacking turns "at least size apart" into "not descending".
    pools: list[tuple[float, int]] = []  # mean, number of labels
    for place, index in enumerate(kept):
        bounded = min(max(wanted[index], low + size / 2), high - size / 2)
        mean, count = bounded - place * size, 1
        while pools and pools[-1][0] > mean:
            other, n = pools.pop()
            mean = (mean * count + other * n) / (count + n)
            count += n
        pools.append((mean, count))
    lowest, highest = low + size / 2, high - size / 2 - (len(kept) - 1) * size
    places: list[float | None] = [None] * len(wanted)
    place = 0
    for mean, count in pools:
        mean = min(max(mean, lowest), highest)
        for _ in range(count):
            places[kept[place]] = mean + place * size
            place += 1
    return places

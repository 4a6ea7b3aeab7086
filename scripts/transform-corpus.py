#!/usr/bin/env python3
"""Labelled pictures turned, tilted, seen from an angle, badly lit, far away or scanned large, for `vouch eval`.

    python3 -m venv /tmp/transform && /tmp/transform/bin/pip install pillow numpy opencv-python-headless
    /tmp/transform/bin/python scripts/transform-corpus.py --each 4 /tmp/transformed ../shared/corpus/sroie ...
    vouch eval /tmp/transformed/*

For development; the product needs no Python. Every way of changing a picture becomes a directory with a `labels.jsonl`
of its own, so that each is a row of the table; `same` is the row to compare with. What is random depends on the file's
name alone: two runs write the same pictures. Keep the output outside the repository: licences of the sources differ.
"""
import argparse
import json
import math
import pathlib
import random
import zlib

import cv2
import numpy
from PIL import Image, ImageOps

# Red, green and blue of a wooden table.
WOOD = (96, 74, 56)
# Pixels of a 12-megapixel photo, and of an A4 page at 600 dots per inch.
PHOTO = (4032, 3024)
A4 = (4960, 7016)
DOTS_PER_MM = 600 / 25.4


def table(width, height, seed):
    """A picture of an uneven, noisy table."""
    chance = numpy.random.default_rng(seed)

    def noise(strength, columns, rows):
        coarse = chance.normal(0, strength, (height // rows + 1, width // columns + 1)).astype("f4")
        return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)

    light = (noise(14, 160, 40) + noise(4, 2, 2))[..., None]
    return Image.fromarray(numpy.clip(numpy.array(WOOD) + light, 0, 255).astype("u1"))


def laid(picture, ground, degrees, chance):
    """`picture`, turned by `degrees`, somewhere on `ground`."""
    turned = picture.convert("RGBA").rotate(degrees, Image.BICUBIC, expand=True)
    place = [chance.randint(0, max(0, whole - part)) for whole, part in zip(ground.size, turned.size)]
    ground.paste(turned, place, turned)
    return ground


def tilted(picture, seed, degrees):
    """On a table, `degrees` clockwise or counter-clockwise."""
    chance = random.Random(seed)
    side = math.ceil(math.hypot(*picture.size)) + 40
    return laid(picture, table(side, side, seed), chance.choice((-degrees, degrees)), chance)


def angled(picture, seed, shrink):
    """Seen from one side: the far edge is shorter by the share `shrink`."""
    chance = random.Random(seed)
    pixels = numpy.asarray(picture)
    height, width = pixels.shape[:2]
    wide, high = int(width * 1.3), int(height * 1.3)
    corners = numpy.array([[0, 0], [width, 0], [width, height], [0, height]], "f4")
    seen = corners.copy()
    first = chance.randrange(4)
    second = (first + 1) % 4
    step = (seen[second] - seen[first]) * shrink / 2
    seen[first] += step
    seen[second] -= step
    seen = seen * 0.95 + [(wide - width * 0.95) / 2, (high - height * 0.95) / 2]
    matrix = cv2.getPerspectiveTransform(corners, seen.astype("f4"))
    paper = cv2.warpPerspective(numpy.full((height, width), 255, "u1"), matrix, (wide, high))
    picture = Image.fromarray(cv2.warpPerspective(pixels, matrix, (wide, high)))
    ground = table(wide, high, seed)
    ground.paste(picture, (0, 0), Image.fromarray(paper))
    return ground


def shaded(picture, seed):
    """Darker towards one side, with the edge of a shadow across it."""
    chance = random.Random(seed)
    pixels = numpy.asarray(picture).astype("f4")
    height, width = pixels.shape[:2]
    rows, columns = numpy.mgrid[0:height, 0:width]

    def along(angle):
        return (columns / width - 0.5) * math.cos(angle) + (rows / height - 0.5) * math.sin(angle)

    fall = numpy.clip(0.62 - 0.75 * along(chance.uniform(0, math.tau)), 0.16, 1.05)
    shadow = 1 - 0.5 / (1 + numpy.exp(-60 * (along(chance.uniform(0, math.tau)) - 0.05)))
    noise = numpy.random.default_rng(seed).normal(0, 5, pixels.shape)
    return Image.fromarray(numpy.clip(pixels * (fall * shadow)[..., None] + noise, 0, 255).astype("u1"))


def far(picture, seed):
    """At most 1000 x 1100 pixels of a 12-megapixel photo of a table: small print."""
    chance = random.Random(seed)
    picture = picture.copy()
    picture.thumbnail((1000, 1100), Image.LANCZOS)
    width, height = PHOTO if chance.random() < 0.5 else PHOTO[::-1]
    return laid(picture, table(width, height, seed), chance.uniform(-6, 6), chance)


def scanned(picture, seed):
    """On an A4 page scanned with 600 dots per inch; slips are 80 mm wide, what lies across 190 mm."""
    chance = random.Random(seed)
    most = [side * DOTS_PER_MM for side in ((190, 190) if picture.width > picture.height else (80, 200))]
    scale = min(room / side for room, side in zip(most, picture.size))
    picture = picture.resize([max(1, int(side * scale)) for side in picture.size], Image.BICUBIC)
    return laid(picture, Image.new("RGB", A4, (252, 252, 252)), chance.uniform(-2, 2), chance)


WAYS = {
    "same": lambda picture, _: picture,
    "turned-90": lambda picture, _: picture.transpose(Image.ROTATE_270),
    "turned-180": lambda picture, _: picture.transpose(Image.ROTATE_180),
    "turned-270": lambda picture, _: picture.transpose(Image.ROTATE_90),
    "tilted-12": lambda picture, seed: tilted(picture, seed, 12),
    "tilted-30": lambda picture, seed: tilted(picture, seed, 30),
    "angled-15": lambda picture, seed: angled(picture, seed, 0.15),
    "angled-35": lambda picture, seed: angled(picture, seed, 0.35),
    "shaded": shaded,
    "far": far,
    "scanned-a4-600": scanned,
}


def labelled(source, most):
    """At most `most` rows of a source that have a picture, a total and a date, spread evenly."""
    lines = (source / "labels.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines if line.strip()]
    rows = [row for row in rows if row.get("file") and row.get("total") and (row.get("date") or row.get("date_candidates"))]
    rows = [row for row in rows if (source / row["file"]).exists()]
    count = min(most, len(rows))
    return [rows[index * len(rows) // count] for index in range(count)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("sources", nargs="+", type=pathlib.Path, help="directories with a labels.jsonl")
    parser.add_argument("--each", type=int, default=4, help="pictures of one source")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS), help="how to change them")
    options = parser.parse_args()
    for way in options.ways:
        directory = options.output / way
        (directory / "img").mkdir(parents=True, exist_ok=True)
        rows = []
        for source in options.sources:
            for row in labelled(source, options.each):
                name = f"img/{source.name}-{pathlib.Path(row['file']).stem}.jpg"
                picture = ImageOps.exif_transpose(Image.open(source / row["file"])).convert("RGB")
                WAYS[way](picture, zlib.crc32(name.encode())).save(directory / name, quality=92)
                rows.append(json.dumps(row | {"file": name}, ensure_ascii=False) + "\n")
        (directory / "labels.jsonl").write_text("".join(rows))
        print(f"{way}: {len(rows)} pictures in {directory}")


if __name__ == "__main__":
    main()

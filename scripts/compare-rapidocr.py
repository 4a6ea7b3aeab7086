#!/usr/bin/env python3
"""Compares the paddle engine with its reference, RapidOCR, line by line. For development; the product needs no Python.

    python3 -m venv /tmp/rapidocr && /tmp/rapidocr/bin/pip install rapidocr==3.10.0 onnxruntime
    cargo build --example paddle_dump
    /tmp/rapidocr/bin/python scripts/compare-rapidocr.py --limit 15 ../shared/corpus/sroie ../shared/corpus/wildreceipt

Both read the same pixels (decoded once, EXIF applied, saved as PNG) with the same settings: detection at the longest
side given, no direction classifier, crops from the full picture, each line at its own width padded to 32 pixels. `--batched`
runs the reference with its own batching instead (six lines padded to one width, at least 320 pixels).
A line of the reference counts as equal when the engine has a line with the same text (white space joined) whose box
overlaps it; a line only one of them has counts as different.
"""
import argparse
import json
import math
import pathlib
import subprocess
import sys
import tempfile
import time

from PIL import Image, ImageOps
from rapidocr import RapidOCR

ROOT = pathlib.Path(__file__).resolve().parent.parent


def reference(side: int, batched: bool) -> RapidOCR:
    params = {
        "Global.use_cls": False,
        "Global.use_preprocess_img": False,
        "Global.use_vertical_padding": False,
        "Global.log_level": "error",
        "Det.limit_type": "max",
        "Det.limit_side_len": side,
        "EngineConfig.onnxruntime.intra_op_num_threads": 1,
    }
    if batched:
        return RapidOCR(params=params)
    engine = RapidOCR(params=params | {"Rec.rec_batch_num": 1})
    recogniser = engine._load_rec_model()
    resize = recogniser.resize_norm_img

    def padded(picture, _):
        height, width = picture.shape[:2]
        return resize(picture, math.ceil(math.ceil(48 * width / height) / 32) * 32 / 48)

    recogniser.resize_norm_img = padded
    return engine


def edges(quad):
    xs, ys = [p[0] for p in quad], [p[1] for p in quad]
    return min(xs), min(ys), max(xs), max(ys)


def overlap(a, b) -> float:
    """Intersection over union of two axis-aligned boxes."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    area = lambda e: (e[2] - e[0]) * (e[3] - e[1])
    return width * height / (area(a) + area(b) - width * height)


def joined(text: str) -> str:
    return " ".join(text.split())


def compare(theirs, ours, show):
    """Numbers of equal and of all lines."""
    left, equal, different = list(ours), 0, []
    for text, box in theirs:
        found = max(left, key=lambda o: overlap(o[1], box), default=None)
        if found is None or overlap(found[1], box) < 0.3:
            different.append((text, None))
            continue
        left.remove(found)
        if found[0] == text:
            equal += 1
        else:
            different.append((text, found[0]))
    different += [(None, text) for text, _ in left]
    if show:
        for theirs_text, ours_text in different:
            print(f"    reference {theirs_text!r}\n    engine    {ours_text!r}")
    return equal, equal + len(different)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="+", type=pathlib.Path, help="directories with img/ inside, or pictures")
    parser.add_argument("--limit", type=int, default=15, help="pictures per source")
    parser.add_argument("--side", type=int, default=960, help="longest side for detection")
    parser.add_argument("--batched", action="store_true", help="the reference's own batching")
    parser.add_argument("--show", action="store_true", help="print lines that differ")
    parser.add_argument("--weights", type=pathlib.Path, default=ROOT / "models/weights")
    parser.add_argument("--engine", type=pathlib.Path, default=ROOT / "target/debug/examples/paddle_dump")
    options = parser.parse_args()
    engine = reference(options.side, options.batched)
    total = [0, 0]
    for source in options.sources:
        files = sorted((source / "img").iterdir()) if source.is_dir() else [source]
        if len(files) > options.limit:
            # Spread over the source rather than its first pages.
            files = [files[i * len(files) // options.limit] for i in range(options.limit)]
        with tempfile.TemporaryDirectory() as scratch:
            pictures = []
            for file in files:
                picture = pathlib.Path(scratch) / (file.stem + ".png")
                ImageOps.exif_transpose(Image.open(file)).convert("RGB").save(picture, compress_level=1)
                pictures.append(str(picture))
            command = [options.engine, "--plain", options.weights, str(options.side), *pictures]
            out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            readings = [json.loads(line) for line in out.splitlines()]
            seconds, equal, lines = 0.0, 0, 0
            for picture, reading in zip(pictures, readings, strict=True):
                started = time.perf_counter()
                result = engine(picture)
                seconds += time.perf_counter() - started
                boxes = [] if result.boxes is None else result.boxes
                theirs = [(joined(t), edges(b)) for t, b in zip(result.txts or (), boxes) if t.strip()]
                ours = [(joined(" ".join(w["text"] for w in l["words"])), edges(l["box"])) for l in reading["lines"]]
                if options.show:
                    print(f"  {pathlib.Path(picture).name}")
                same, all_lines = compare(theirs, ours, options.show)
                equal, lines = equal + same, lines + all_lines
        mean = sum(r["ms"] for r in readings) / len(readings) / 1000
        print(
            f"{source.name}: {equal} of {lines} lines equal ({100 * equal / max(lines, 1):.2f} %), "
            f"{len(files)} pictures, engine {mean:.2f} s, reference {seconds / len(files):.2f} s per picture"
        )
        sys.stdout.flush()
        total = [total[0] + equal, total[1] + lines]
    print(f"all: {total[0]} of {total[1]} lines equal ({100 * total[0] / max(total[1], 1):.2f} %)")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Processor seconds of `vouch read` against the plain `tesseract` command on the same pictures, in one run.

    scripts/speed.py [--vouch target/release/vouch] [--most 12] FILE-OR-DIRECTORY...

For development; the product needs no Python. Both run with one thread, one after the other, picture by picture:

- `tesseract PICTURE -` with its defaults (English, page mode 3), user and system time of the process;
- `vouch read PICTURE`, user and system time of the process and of its reader children. What it takes to read a blank
  picture (start, loading the models twice: once to read, once to be ready for the next) is measured first and
  subtracted, because a service pays it before the picture comes; the ratio with it is printed too.

Ratios vary less than seconds on a busy machine. `memory` is the largest resident size any reader child reached.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import zlib

PICTURES = {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp"}
BLANK_RUNS = 5


def blank_png(path: pathlib.Path) -> None:
    """A white picture of 200 x 300 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    header = (200).to_bytes(4, "big") + (300).to_bytes(4, "big") + bytes([8, 0, 0, 0, 0])
    rows = b"".join(b"\0" + b"\xff" * 200 for _ in range(300))
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    )


class Peak(threading.Thread):
    """Follows the largest resident size of a process's descendants, in bytes."""

    def __init__(self, pid: int):
        super().__init__(daemon=True)
        self.pid, self.most, self.done = pid, 0, False

    def run(self) -> None:
        while not self.done:
            tasks = list(pathlib.Path(f"/proc/{self.pid}/task").glob("*/children"))
            for task in tasks:
                try:
                    pids = task.read_text().split()
                except OSError:
                    continue
                for pid in pids:
                    try:
                        status = pathlib.Path(f"/proc/{pid}/status").read_text()
                    except OSError:
                        continue
                    for line in status.splitlines():
                        if line.startswith("VmHWM:"):
                            self.most = max(self.most, int(line.split()[1]) * 1024)
            time.sleep(0.01)


def measure(command, environment=None, follow=False):
    """Processor seconds, wall seconds, exit code and (when followed) the peak of the children."""
    started = time.monotonic()
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **(environment or {})}
    )
    peak = Peak(process.pid)
    if follow:
        peak.start()
    _, status, usage = os.wait4(process.pid, 0)
    peak.done = True
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime, time.monotonic() - started, process.returncode, peak.most


def pictures(source: pathlib.Path, most: int):
    if source.is_file():
        return [source]
    labels = source / "labels.jsonl"
    if labels.exists():
        rows = [json.loads(line) for line in labels.read_text().splitlines() if line.strip()]
        files = [source / row["file"] for row in rows if row.get("file")]
    else:
        files = sorted(source.rglob("*"))
    files = [file for file in files if file.suffix.lower() in PICTURES]
    step = max(1, -(-len(files) // most))
    return files[::step]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="+", type=pathlib.Path)
    parser.add_argument("--vouch", default="target/release/vouch")
    parser.add_argument("--most", type=int, default=12, help="pictures of one directory, spread evenly")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        blank = pathlib.Path(scratch) / "blank.png"
        blank_png(blank)
        starts = [measure([options.vouch, "read", str(blank)]) for _ in range(BLANK_RUNS)]
    if any(start[2] for start in starts):
        sys.exit("error: `vouch read` cannot read a blank picture\nhint: run it by hand and see what it says")
    start_cpu = statistics.median(start[0] for start in starts)
    start_wall = statistics.median(start[1] for start in starts)
    print(f"start and models: {start_cpu:.2f} CPU s, {start_wall:.2f} s wall (median of {BLANK_RUNS}, subtracted below)")
    print("source                     n  tesseract  vouch   ratio  ratio with start  slowest wall  memory")
    all_ratios = []
    for source in options.sources:
        rows = []
        for file in pictures(source, options.most):
            theirs = measure(["tesseract", str(file), "-"], {"OMP_THREAD_LIMIT": "1"})
            ours = measure([options.vouch, "read", str(file)], follow=True)
            if theirs[2] or ours[2]:
                print(f"  left out, not read by both: {file.name}")
                continue
            rows.append((theirs[0], ours[0], ours[1], ours[3]))
        if not rows:
            continue
        ratios = [(ours - start_cpu) / theirs for theirs, ours, _, _ in rows]
        with_start = [ours / theirs for theirs, ours, _, _ in rows]
        all_ratios += ratios
        print(
            f"{source.name[:24]:24} {len(rows):3}  {statistics.median(r[0] for r in rows):7.2f} s"
            f" {statistics.median(r[1] for r in rows) - start_cpu:6.2f} s"
            f" {statistics.median(ratios):6.2f}  {statistics.median(with_start):16.2f}"
            f"  {max(r[2] for r in rows):10.2f} s  {max(r[3] for r in rows) / 1e6:4.0f} MB"
        )
        sys.stdout.flush()
    if all_ratios:
        print(f"median ratio over all {len(all_ratios)} pictures: {statistics.median(all_ratios):.2f}")


if __name__ == "__main__":
    main()

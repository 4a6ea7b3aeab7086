#!/bin/sh
# Installs the PP-OCRv6 weights the `paddle` engine reads. Never fails a build: without them Tesseract reads.
#
#   scripts/fetch-weights.sh            into ${VOUCH_WEIGHTS_DIR:-models/weights}
#   VOUCH_RAPIDOCR_WHEEL=/path/to.whl   use a wheel already downloaded
#
# The weights are not part of this repository. They come from the wheel `rapidocr` 3.10.0 on PyPI and are licensed
# under Apache-2.0 (copyright Baidu and the PaddleOCR authors); the licence texts are installed beside them.
set -eu

cd "$(dirname "$0")/.."
dir=${VOUCH_WEIGHTS_DIR:-models/weights}
package=rapidocr==3.10.0

sums='090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f  PP-OCRv6_det_small.onnx
6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884  PP-OCRv6_rec_small.onnx
e47acedf663230f8863ff1ab0e64dd2d82b838fceb5957146dab185a89d6215c  ch_ppocr_mobile_v2.0_cls_mobile.onnx'

verified() { (cd "$1" && printf '%s\n' "$sums" | sha256sum --check --status) 2>/dev/null; }

without() {
    echo "fetch-weights: $1" >&2
    echo "fetch-weights: going on without; Tesseract will read. Try again with scripts/fetch-weights.sh" >&2
    exit 0
}

if [ -d "$dir" ] && verified "$dir"; then
    exit 0
fi

command -v python3 >/dev/null || without "python3 is needed to unpack the wheel and is not installed"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

wheel=${VOUCH_RAPIDOCR_WHEEL:-}
if [ -z "$wheel" ]; then
    echo "fetch-weights: downloading $package from PyPI (26 MB)" >&2
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --dest "$work" "$package" ||
        without "$package could not be downloaded"
    wheel=$(ls "$work"/*.whl)
fi
python3 - "$wheel" "$work" <<'PY' || without "$wheel could not be unpacked"
import pathlib, sys, zipfile
wheel, target = zipfile.ZipFile(sys.argv[1]), pathlib.Path(sys.argv[2])
for member in wheel.namelist():
    if member.endswith(".onnx") or "/licenses/" in member:
        (target / pathlib.PurePosixPath(member).name).write_bytes(wheel.read(member))
PY
verified "$work" || without "the weights in $wheel are not the pinned ones (SHA-256 differs)"

mkdir -p "$dir"
# Copied under another name, then renamed: a reader starting now sees whole files or none.
for file in $(printf '%s\n' "$sums" | awk '{print $2}') LICENSE MODEL_LICENSES.md; do
    cp "$work/$file" "$dir/.$file.new"
    mv "$dir/.$file.new" "$dir/$file"
done
echo "fetch-weights: installed into $dir (Apache-2.0, see $dir/MODEL_LICENSES.md)" >&2

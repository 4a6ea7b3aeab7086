"""Checks the licences and names of all dependencies against deny.toml.

    python3 scripts/licences.py deny.toml metadata.json

Reads what `cargo metadata --format-version 1` printed. An SPDX expression passes when its `OR` and `AND` can be
satisfied by the allowed licences. Only the standard library is used; Ubuntu 22.04's Python 3.10 has no TOML parser,
so the two lists are read with a regular expression.
"""

import json
import re
import sys


def string_list(toml: str, key: str) -> list[str]:
    """The quoted strings of the array `key = [...]`; for `{ name = "x" }` entries, the names."""
    without_comments = re.sub(r"(?m)#.*$", "", toml)
    array = re.search(rf"(?ms)^{key}\s*=\s*\[(.*?)^\]", without_comments)
    if array is None:
        sys.exit(f"error: deny.toml has no `{key}` list")
    names = re.findall(r'(?:name|crate)\s*=\s*"([^"]+)"', array.group(1))
    return names or re.findall(r'"([^"]+)"', array.group(1))


def is_allowed(expression: str, allowed: set[str]) -> bool:
    """Whether the SPDX expression can be satisfied; `A/B` is the old way to write `A OR B`."""
    tokens = re.findall(r"\(|\)|[^\s()]+", expression.replace("/", " OR "))
    position = 0

    def peek() -> str | None:
        return tokens[position] if position < len(tokens) else None

    def take() -> str:
        nonlocal position
        position += 1
        return tokens[position - 1]

    def either() -> bool:
        result = both()
        while peek() == "OR":
            take()
            result = both() or result
        return result

    def both() -> bool:
        result = one()
        while peek() == "AND":
            take()
            result = one() and result
        return result

    def one() -> bool:
        if peek() is None:
            return False
        if peek() == "(":
            take()
            result = either()
            if peek() == ")":
                take()
            return result
        licence = take()
        if peek() == "WITH":
            take()
            licence = f"{licence} WITH {take()}"
        return licence in allowed

    result = either()
    return result and position == len(tokens)


def check_the_checker() -> None:
    """A checker that lets everything pass would not be noticed: the cases that matter, every time."""
    allowed = {"MIT", "Apache-2.0", "ISC", "Apache-2.0 WITH LLVM-exception"}
    for expression, expected in [
        ("MIT", True),
        ("MIT OR Apache-2.0", True),
        ("MIT/Apache-2.0", True),
        ("GPL-3.0-only", False),
        ("GPL-3.0-only OR MIT", True),
        ("Apache-2.0 AND ISC", True),
        ("Apache-2.0 AND GPL-2.0", False),
        ("(MIT OR GPL-2.0) AND (AGPL-3.0 OR ISC)", True),
        ("Apache-2.0 WITH LLVM-exception", True),
        ("GPL-2.0 WITH Classpath-exception-2.0", False),
        ("", False),
        ("MIT)", False),
    ]:
        if is_allowed(expression, allowed) != expected:
            sys.exit(f"error: the licence checker itself is broken: `{expression}` should give {expected}")


def main() -> None:
    check_the_checker()
    with open(sys.argv[1], encoding="utf-8") as file:
        toml = file.read()
    with open(sys.argv[2], encoding="utf-8") as file:
        metadata = json.load(file)
    allowed = set(string_list(toml, "allow"))
    banned = set(string_list(toml, "deny"))
    problems = []
    for package in metadata["packages"]:
        name = f"{package['name']} {package['version']}"
        licence = package["license"] or ""
        if package["name"] in banned:
            problems.append(f"{name} is banned (deny.toml says why; `cargo tree -i {package['name']}` says who wants it)")
        if package["source"] and not package["source"].startswith("registry+"):
            problems.append(f"{name} does not come from the registry: {package['source']}")
        if not is_allowed(licence, allowed):
            problems.append(f"{name} has the licence `{licence or 'none stated'}`, which deny.toml does not allow")
    for problem in problems:
        print(f"error: {problem}")
    print(f"{len(metadata['packages'])} packages, {len(problems)} problems")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()

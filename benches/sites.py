#!/usr/bin/env python3
"""Thousands of sites, each with a subset of its own: `just bench-sites`.

A pull is held against the floor: the bare primitives of as many age files, on as many threads, without and with writing them
(`examples/floor.rs`). TMPDIR says on which disk. What a pull reads before it seals, the settings and the keys, is measured by itself and
taken off. Runs are made in turns, so that all meet the same load; a figure is the smallest of its runs. Exit code 3 when a
bar is not held.
"""

import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", "target")).resolve() / "release"
PROGRAM, FLOOR, SITES = TARGET / "dcn-vault", TARGET / "examples" / "floor", TARGET / "examples" / "sites"
RUNS = int(os.environ.get("RUNS", "5"))
SECRETS, POLICIES, OF_POLICY = 110, 20, 12
RANDOM = random.Random(5)
missed = []


def names():
    return [f"Service{number:03}Password" for number in range(SECRETS)]


def plan(here, changed=0):
    """Passwords, and at the end two keys of some length."""
    words = {name: f"{random.Random(name).getrandbits(120):030x}" for name in names()}
    if changed:
        words[names()[0]] = f"{random.Random(changed).getrandbits(120):030x}"
    for name in names()[-2:]:
        words[name] = "".join(random.Random(name).choices("abcdefghijklmnop", k=1700))
    lines = "".join(f"  {name}: {word}\n" for name, word in words.items())
    (here / "plan.yaml").write_text(f"passwords:\n{lines}")
    (here / "plan.yaml").chmod(0o600)


def policies(kind, count):
    """What each site gets: of a handful of lists one, or one that no other site has."""
    lists = [sorted(RANDOM.sample(names(), OF_POLICY)) for _ in range(POLICIES if kind == "policies" else count)]
    return [lists[number % len(lists)] for number in range(count)]


def vault(here, kind, count):
    here.mkdir()
    subprocess.run([SITES, str(count), here], check=True)
    lines = [f"  site{number:05}: {{secrets: [{', '.join(names)}]}}\n" for number, names in enumerate(policies(kind, count))]
    (here / "dcn-vault.yaml").write_text("version: 1\nsites:\n" + "".join(lines))
    (here / "home/.config/dcn-vault").mkdir(parents=True)
    key = here / "home/.config/dcn-vault/signing_key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "operator", "-f", key], check=True)
    public = key.with_suffix(".pub").read_text()
    (key.parent / "signers").write_text(f'operator namespaces="dcn-vault" {public}')
    plan(here)
    return here


def measured(command, here):
    """Seconds, seconds of CPU, the most MiB of memory. By GNU time: a child of ours would count Python's pages as its own."""
    environment = {"HOME": str(here / "home"), "PATH": os.environ["PATH"]}
    figures = here / "figures"
    ended = subprocess.run(["time", "-f", "%e %U %S %M", "-o", figures, *map(str, command)], cwd=here, env=environment, capture_output=True, text=True)
    if ended.returncode not in (0, 3):
        sys.exit(f"{command[0]} ended with {ended.returncode}: {ended.stderr}")
    wall, user, system, peak = map(float, figures.read_text().split()[-4:])
    return wall, user + system, peak / 1024


def best(runs):
    return [min(column) for column in zip(*runs)]


def bar(what, ours, peer, most):
    holds = ours <= most * peer
    if not holds:
        missed.append(what)
    print(f"{what:64} {ours:8.2f} {peer:8.2f}  ratio {ours / peer:5.2f}  bar {most:4.2f}  {'holds' if holds else 'MISSED'}", flush=True)


def say(what, figures):
    wall, cpu, peak = figures
    print(f"{what:64} {wall:8.2f} s   {cpu:8.2f} s of CPU   {peak:8.1f} MiB", flush=True)


def floor(here, count, size, with_files):
    written = aside(here / "floor")
    written.mkdir()
    return measured([FLOOR, count, size, *([written] if with_files else [])], here)


def pull(here):
    return measured([PROGRAM, "pull", "--from-file", "plan.yaml"], here)


def aside(path):
    """Out of the way. Not removed: ext4 spares what was removed in the last half minute, and looks at each of these again and again."""
    if path.exists():
        path.rename(path.with_name(f"{path.name}-{time.monotonic_ns()}"))
    return path


def inodes(here):
    return {str(path.relative_to(here)): path.stat().st_ino for path in (here / "bundle").rglob("*.age")}


def first_pulls(here, count):
    """The floor, the floor with files, first pulls, a pull that writes nothing, and what reading the settings and keys takes, in turns."""
    bare, written, pulls, dry, read = [], [], [], [], []
    # Before the first pull the size is not known: that of the subset is near
    size = 12 * 60
    for _ in range(RUNS):
        aside(here / "bundle")
        aside(here / "home/.local")
        pulls.append(pull(here))
        sizes = [path.stat().st_size for path in (here / "bundle").rglob("*.age")]
        size = sum(sizes) // len(sizes) - 400
        bare.append(floor(here, count, size, False))
        written.append(floor(here, count, size, True))
        dry.append(measured([PROGRAM, "pull", "--from-file", "plan.yaml", "--dry-run", "-o", "nowhere"], here))
        read.append(measured([PROGRAM, "site", "list"], here))
    return [best(runs) for runs in (bare, written, pulls, dry, read)]


def many(here, kind, count):
    vault(here, kind, count)
    bare, written, first, dry, read = first_pulls(here, count)
    title = f"{count} sites, {kind}: "
    say(title + "the bare primitives", bare)
    say(title + "the same, and writing the files", written)
    say(title + "reading settings and keys (site list)", read)
    say(title + "a pull that writes nothing (--dry-run)", dry)
    say(title + "first pull", first)
    # Of a thousand sites it takes a few hundredths of a second, which is what time counts in
    if count >= 5000:
        bar(title + "sealing, in s of CPU", dry[1] - read[1], bare[1], 1.5)
        bar(title + "first pull without what is read, in s", first[0] - read[0], written[0], 1.5)
    return first


def later(here, count):
    """What comes after a first pull."""
    again = []
    for changed in range(1, RUNS + 1):
        plan(here, changed)
        before = inodes(here)
        again.append(pull(here))
        after = inodes(here)
        # Of a site that gets the password, its file; of all others none
        manifest = json.loads((here / "bundle/manifest.json").read_text())
        touched = {f"bundle/sites/{site}/passwords.yaml.age" for grant in manifest["grants"] if names()[0] in grant["parameters"] for site in grant["sites"]}
        rewritten = {path for path in after if before.get(path) != after[path]}
        if rewritten != touched:
            sys.exit(f"{len(rewritten)} files were rewritten, and {len(touched)} hold the password")
    say(f"{count} sites: pull with one password changed, {len(touched)} rewritten", best(again))
    for what, command in {
        "check": ["check"],
        "show": ["show", "--json"],
        "decrypt as one site": ["decrypt", "-i", "identity.txt"],
        "run to its child's end": ["run", "-i", "identity.txt", "--", "true"],
    }.items():
        say(f"{count} sites: {what}", best([measured([PROGRAM, *command], here) for _ in range(RUNS)]))


def last_of_many(here, count):
    """Everybody gets everything: one file for all."""
    here.mkdir()
    subprocess.run([SITES, str(count), here], check=True)
    (here / "dcn-vault.yaml").write_text("version: 1\n")
    (here / "home").mkdir()
    plan(here)
    measured([PROGRAM, "pull", "--from-file", "plan.yaml", "--no-sign"], here)
    ours, theirs = [], []
    peer = "rage" if shutil.which("rage") else "age"
    for _ in range(4 * RUNS):
        ours.append(timed([PROGRAM, "decrypt", "-i", "identity.txt", "--allow-unsigned"], here))
        theirs.append(timed([peer, "-d", "-i", "identity.txt", "bundle/passwords.yaml.age"], here))
    bar(f"the last of {count} recipients: decrypt, against {peer} -d, in ms", min(ours), min(theirs), 1.0)


def timed(command, here):
    begun = time.perf_counter()
    subprocess.run([str(word) for word in command], cwd=here, env={"HOME": str(here / "home"), "PATH": os.environ["PATH"]}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return (time.perf_counter() - begun) * 1000


def main():
    most = int(os.environ.get("SITES", "10000"))
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        few = many(scratch / "few", "policies", most // 10)
        first = many(scratch / "many", "policies", most)
        bar("ten times the sites, against ten times the CPU", first[1], 10 * few[1], 1.1)
        later(scratch / "many", most)
        many(scratch / "distinct", "distinct subsets", most)
        later(scratch / "distinct", most)
        last_of_many(scratch / "entire", 1000)
    return 3 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

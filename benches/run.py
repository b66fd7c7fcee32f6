#!/usr/bin/env python3
"""How long a deployment waits for its secrets: `run`, up to its command's first instruction, against `age -d` and `rage -d` of
the same file. `just bench-run`; no cloud is needed.

All are run in turns, so that they meet the same load. A figure is the smallest of its runs. The command is a shell that says the
time as soon as it runs; what it takes to get there without us is taken off. Of age and rage all counts, their end as well: only
then is the file whole. Exit code 3 when the bar is not held.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

PROGRAM = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", "target")).resolve() / "release" / "dcn-vault"
RUNS = int(os.environ.get("RUNS", "200"))
SECRETS = 120
SAY_TIME = ["bash", "--norc", "-c", "echo $EPOCHREALTIME"]
SEALED = "bundle/passwords.yaml.age"


def quiet(command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def to_end(command):
    begun = time.perf_counter()
    quiet(command)
    return (time.perf_counter() - begun) * 1000


def to_start(command):
    begun = time.time()
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    return (float(said) - begun) * 1000


def make_bundle(home):
    """A bundle of made-up passwords, signed, with the identity that opens it."""
    os.environ.update(HOME=str(home))
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"):
        os.environ.pop(name, None)
    (home / "plan.yaml").write_text("passwords:\n" + "".join(f"  Made{n}Password: not-a-real-secret-{n}\n" for n in range(SECRETS)))
    (home / "plan.yaml").chmod(0o600)
    quiet([PROGRAM, "init"])
    shutil.copy(home / "keys/signers", home / ".config/dcn-vault/signers")
    recipient = subprocess.check_output([PROGRAM, "keygen", "-o", "identity.txt"], text=True).strip()
    quiet([PROGRAM, "pull", "--from-file", "plan.yaml", "-r", recipient, "-o", "bundle"])


def main():
    with tempfile.TemporaryDirectory() as home:
        os.chdir(home)
        make_bundle(pathlib.Path(home))
        deliveries = {"fd": "as another user", "mount": "as root", "file": "on request"} if os.geteuid() == 0 else {"fd": "the default"}
        ours = {f"run --delivery {name} ({what})": [PROGRAM, "run", "-i", "identity.txt", "--delivery", name, "--", *SAY_TIME]
                for name, what in deliveries.items()}
        peers = {f"{name} -d": [name, "-d", "-i", "identity.txt", SEALED] for name in ("age", "rage") if shutil.which(name)}
        times = {name: [] for name in ["bare", *ours, *peers]}
        for _ in range(RUNS):
            times["bare"].append(to_start(SAY_TIME))
            for name, command in ours.items():
                times[name].append(to_start(command))
            for name, command in peers.items():
                times[name].append(to_end(command))
        bare = min(times["bare"])
        fastest = min(min(times[name]) for name in peers)
        missed = False
        for name in peers:
            print(f"{name:34} {min(times[name]):6.2f} ms")
        for name in ours:
            overhead = min(times[name]) - bare
            missed |= overhead > fastest
            print(f"{name:34} {overhead:6.2f} ms  ratio {overhead / fastest:4.2f}  {'MISSED' if overhead > fastest else 'holds'}")
    return 3 if missed else 0


sys.exit(main())

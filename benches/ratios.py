#!/usr/bin/env python3
"""The figures to beat, as ratios against peers in the same run: `just bench` with a lab that is up and seeded.

Each pair is run in turns, so that both meet the same load. A figure is the smallest of its runs: what the work takes when
nothing is in its way. Exit code 3 when a bar is not held.
"""

import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", "target")).resolve() / "release"
PROGRAM, PLAIN = TARGET / "dcn-vault", TARGET / "examples" / "plain_allocator"
LAB = pathlib.Path(os.environ["DCN_VAULT_LAB"])
RUNS = int(os.environ.get("RUNS", "30"))
PULL = ["pull", "--os-cloud", "admin-tls", "--stack", "standalone", "--plan", "overcloud", "-o", "bundle"]
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "check": True}


def once(command, **more):
    begun = time.perf_counter()
    subprocess.run(command, **QUIET, **more)
    return (time.perf_counter() - begun) * 1000


def in_turns(runs, *commands, before=lambda: None):
    """The smallest time of each, in milliseconds; what is done before each is not counted."""
    times = []
    for _ in range(runs):
        times.append([])
        for command in commands:
            before()
            times[-1].append(once(command))
    return [min(column) for column in zip(*times)]


def make_home(here):
    """A home with a key that signs, and that is trusted."""
    home = here / "home"
    ours = home / ".config" / "dcn-vault"
    ours.mkdir(parents=True, mode=0o700)
    key = ours / "signing_key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "made up for a bench", "-f", key], **QUIET)
    (ours / "signers").write_text("operator " + key.with_suffix(".pub").read_text())
    return home


def forget_bundle():
    """A pull over a bundle keeps what has not changed, and none where one was is refused: each is to be a whole first one."""
    shutil.rmtree("bundle", ignore_errors=True)
    shutil.rmtree(pathlib.Path(os.environ["HOME"]) / ".local", ignore_errors=True)


def curl_minimum(here):
    """The same requests by curl, those that can be at the same time at the same time."""
    lines = subprocess.check_output([os.environ["DCN_VAULT_LAB_BIN"], "env", "admin-tls"], text=True).splitlines()
    words = (shlex.split(line)[1] for line in lines if line.startswith("export "))
    settings = dict(word.split("=", 1) for word in words)
    (here / "login.json").write_text(json.dumps({"auth": {
        "identity": {"methods": ["password"], "password": {"user": {
            "name": settings["OS_USERNAME"], "domain": {"name": settings["OS_USER_DOMAIN_NAME"]},
            "password": settings["OS_PASSWORD"]}}},
        "scope": {"project": {"name": settings["OS_PROJECT_NAME"], "domain": {"name": settings["OS_PROJECT_DOMAIN_NAME"]}}}}}))
    catalog = {key: value for key, value in settings.items() if key in ("OS_AUTH_URL", "OS_CACERT")}
    script = here / "curl.sh"
    script.write_text("""
        curl="curl -s --cacert $OS_CACERT"
        $curl -D head -o catalog -H 'Content-Type: application/json' -d @login.json "$OS_AUTH_URL/auth/tokens"
        token=$(sed -n 's/^[Xx]-[Ss]ubject-[Tt]oken: //p' head | tr -d '\\r')
        url() { jq -r ".token.catalog[] | select(.type == \\"$1\\").endpoints[] | select(.interface == \\"public\\").url" catalog; }
        $curl -H "X-Auth-Token: $token" "$(url object-store)/overcloud/plan-environment.yaml" -o plan &
        stack=$($curl -H "X-Auth-Token: $token" -o /dev/null -w '%{redirect_url}' "$(url orchestration)/stacks/standalone")
        for key in EndpointMap AllNodesConfig GlobalConfig HostsEntry; do
            $curl -H "X-Auth-Token: $token" "$stack/outputs/$key" -o "$key" &
        done
        wait
        $curl -X DELETE -H "X-Auth-Token: $token" -H "X-Subject-Token: $token" "$OS_AUTH_URL/auth/tokens"
        test -s GlobalConfig && test -s plan
    """)
    return ["env", *(f"{key}={value}" for key, value in catalog.items()), "bash", str(script)]


def peak_mib(command):
    """The most memory that any process of `command` had. By GNU time: a child of ours would count Python's pages as its own."""
    subprocess.run(["time", "-f", "%M", "-o", "peak", *command], **QUIET)
    return int(pathlib.Path("peak").read_text().split()[-1]) / 1024


def main():
    missed = []

    def bar(what, ours, peer, most, unit="ms"):
        holds = ours <= most * peer
        if not holds:
            missed.append(what)
        print(f"{what:58} {ours:8.1f} {unit}  {peer:8.1f} {unit}  ratio {ours / peer:5.2f}  bar {most:4.2f}  {'holds' if holds else 'MISSED'}", flush=True)

    with tempfile.TemporaryDirectory() as scratch:
        here = pathlib.Path(scratch)
        os.chdir(here)
        os.environ["OS_CLIENT_CONFIG_FILE"] = str(LAB / "clouds.yaml")
        old_home = os.environ.get("HOME", "/")
        os.environ["HOME"] = str(make_home(here))
        for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
            os.environ.pop(name, None)
        recipient = subprocess.check_output([PROGRAM, "keygen", "-o", "identity.txt"], text=True).strip()
        ours, plain = ([program, *PULL, "-r", recipient] for program in (PROGRAM, PLAIN))
        subprocess.run(ours, **QUIET)
        run = ["run", "-b", "bundle", "-i", "identity.txt", "--", "true"]

        pull, curl = in_turns(RUNS, ours, curl_minimum(here), before=forget_bundle)
        bar("pull, against curl's minimum of requests", pull, curl, 1.0)
        pull, wipeless = in_turns(RUNS, ours, plain, before=forget_bundle)
        bar("pull, against an allocator that does not wipe", pull, wipeless, 1.1)
        begun = time.perf_counter()
        reference = [os.environ["DCN_VAULT_LAB_BIN"], "reference", str(here / "reference"), "standalone", "overcloud"]
        subprocess.run(reference, env={**os.environ, "HOME": old_home}, **QUIET)
        bar("pull, against the documented five commands", pull, (time.perf_counter() - begun) * 1000, 1 / 20)
        run_ours, run_plain = in_turns(5 * RUNS, [PROGRAM, *run], [PLAIN, *run])
        bar("run, against an allocator that does not wipe", run_ours, run_plain, 1.1)
        bar("peak memory of pull, against 24 MiB", peak_mib(ours), 24, 1.0, "MiB")
        bar("peak memory of run, against 12 MiB", peak_mib([PROGRAM, *run]), 12, 1.0, "MiB")
    return 3 if missed else 0


sys.exit(main())

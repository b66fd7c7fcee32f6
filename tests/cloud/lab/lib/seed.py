"""Fills the lab as a TripleO undercloud looks, and writes $LAB_RUN/seed/expected.json (0600), which README.md describes."""

import base64
import hashlib
import json
import os
import sys
import time
from urllib.parse import quote

import yaml
from keystoneauth1 import session
from keystoneauth1.identity import v3

import shapes

E = os.environ
OUT = os.path.join(E["LAB_RUN"], "seed")
BEGUN = time.time()


def log(*words):
    print(f"[seed {time.time() - BEGUN:4.1f}s]", *words, file=sys.stderr)


def connect():
    auth = v3.Password(
        auth_url=E["OS_AUTH_URL"],
        username=E["OS_USERNAME"],
        password=E["OS_PASSWORD"],
        project_name=E["OS_PROJECT_NAME"],
        user_domain_name="Default",
        project_domain_name="Default",
    )
    s = session.Session(auth=auth)
    return s, {
        t: s.get_endpoint(service_type=t, interface=E["OS_INTERFACE"], region_name=E["OS_REGION_NAME"])
        for t in ("orchestration", "object-store", "key-manager")
    }


def dump(data):
    return yaml.safe_dump(data, default_flow_style=False).encode()  # as tripleo-common writes it


def make_plan(pw, defaults):
    plan = {
        "version": 1.0,
        "name": "overcloud",
        "description": "Default Deployment plan\n",
        "template": "overcloud.yaml",
        "environments": [
            {"path": p}
            for p in (
                "overcloud-resource-registry-puppet.yaml",
                "environments/docker.yaml",
                "environments/docker-ha.yaml",
                "environments/containers-default-parameters.yaml",
                "environments/ssl/enable-tls.yaml",
                "user-environment.yaml",
            )
        ],
        "parameter_defaults": defaults,
        "passwords": pw,
    }
    assert yaml.safe_load(dump(plan)) == plan
    return plan


def broken_plans(plan):
    """{container: bytes of its plan-environment.yaml, or None for no such object}"""
    some = {"version": 1.0, "name": "x", "template": "overcloud.yaml"}
    secret = shapes.word()
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{c}: &{c} [{', '.join(['*' + p] * 9)}]\n" for p, c in zip("abcdefgh", "bcdefghi")
    )
    return {
        "empty": None,
        "empty-file": b"",
        "broken": f"passwords:\n  AdminPassword: {secret}\n  NovaPassword: [unclosed, {secret}\nname: x\n".encode(),
        "not-utf8": f"passwords: {{AdminPassword: {secret}caf\u00e9}}\n".encode("latin-1"),
        "not-a-map": dump(["passwords", secret]),
        "no-passwords": dump(some | {"parameter_defaults": {"ControllerCount": 3}}),
        "null-passwords": dump(some | {"passwords": None}),
        "empty-passwords": dump(some | {"passwords": {}}),
        "masked": dump(plan | {"passwords": plan["passwords"] | {"NovaPassword": "******"}}),
        "python-tag": f"passwords:\n  AdminPassword: !!python/object/apply:os.system ['true']\n  NovaPassword: {secret}\n".encode(),
        "bomb": f"passwords: {{AdminPassword: {secret}}}\n{bomb}".encode(),
        "duplicate": f"passwords:\n  AdminPassword: {shapes.word()}\n  AdminPassword: {secret}\n".encode(),
    }


def fill_swift(s, swift, containers):
    for container, objects in containers.items():
        s.put(f"{swift}/{container}", headers={"X-Container-Meta-Usage-Tripleo": "plan"})
        for name, body in objects.items():
            s.put(
                f"{swift}/{container}/{quote(name)}",
                data=body,
                headers={"Content-Type": "application/octet-stream" if name.endswith(".bin") else "application/x-yaml"},
            )
    log(f"swift: {len(containers)} containers")


def fill_heat(s, heat, stacks):
    old = {x["stack_name"]: x["id"] for x in s.get(f"{heat}/stacks").json()["stacks"] if x["stack_name"] in stacks}
    for name, uid in old.items():
        s.delete(f"{heat}/stacks/{name}/{uid}")
    for name in old:
        wait(f"stack {name} to go", lambda: s.get(f"{heat}/stacks/{name}", raise_exc=False, redirect=False).status_code == 404)
    ids = {}
    for name, (_, template, _) in stacks.items():
        r = s.post(
            f"{heat}/stacks",
            json={"stack_name": name, "template": template, "timeout_mins": 1500, "disable_rollback": True},
            raise_exc=False,
        )
        if r.status_code != 201:
            raise SystemExit(f"stack {name}: {r.status_code} {r.text[:800]}")
        ids[name] = r.json()["stack"]["id"]
    for name, (status, _, outputs) in stacks.items():
        url = f"{heat}/stacks/{name}/{ids[name]}"
        wait(f"stack {name} to be {status}", lambda: s.get(f"{url}?resolve_outputs=False").json()["stack"]["stack_status"] == status)
        for key, value in outputs.items():
            assert s.get(f"{url}/outputs/{key}").json()["output"]["output_value"] == value, (name, key)
    log("heat:", *stacks)
    return ids


def wait(what, done):
    end = time.time() + 60
    while not done():
        if time.time() > end:
            raise SystemExit(f"waited 60 s for {what}")
        time.sleep(0.1)


def fill_barbican(s, url, pw):
    def store(name, payload, **more):
        text = {"payload": payload, "payload_content_type": "text/plain"}
        body = {"name": name} | (text if isinstance(payload, str) else {}) | more
        if isinstance(payload, bytes):
            octets = {"payload_content_type": "application/octet-stream", "payload_content_encoding": "base64"}
            body |= {"payload": base64.b64encode(payload).decode()} | octets
        return s.post(f"{url}/v1/secrets", json=body).json()["secret_ref"]

    refs = {name: store(name, pw[name]) for name in ("OctaviaCaKeyPassphrase", "EdgeUnicode")}
    octets = os.urandom(40)
    refs["Octets"] = store("Octets", octets)
    refs["Empty"] = store("Empty", None)
    key, certificate = shapes.certificate("barbican.example.com")
    passphrase = shapes.word()
    parts = {
        "certificate": store("certificate", certificate, secret_type="certificate"),
        "private_key": store("private_key", key, secret_type="private"),
        "private_key_passphrase": store("private_key_passphrase", passphrase, secret_type="passphrase"),
    }
    for kind, names in {"certificate": parts, "generic": {"private_key": parts["private_key"]}}.items():
        body = {"name": kind, "type": kind, "secret_refs": [{"name": n, "secret_ref": r} for n, r in names.items()]}
        refs[f"container-{kind}"] = s.post(f"{url}/v1/containers", json=body).json()["container_ref"]
    log("barbican:", ", ".join(refs))
    # Barbican strips text
    payloads = {"SSLCertificate": certificate.strip(), "SSLKey": key.strip(), "SSLKeyPassphrase": passphrase}
    return refs, payloads | {"Octets": base64.b64encode(octets).decode(), "OctaviaCaKeyPassphrase": pw["OctaviaCaKeyPassphrase"]}


def main():
    s, endpoint = connect()
    pw = shapes.make_passwords()
    chosen, only_here, plain = shapes.parameter_defaults(pw)
    plan = make_plan(pw, plain | chosen | only_here)
    body = dump(plan)
    containers = {name: {} if b is None else {"plan-environment.yaml": b} for name, b in broken_plans(plan).items()}
    containers["overcloud"] = {
        "plan-environment.yaml": body,
        "overcloud.yaml": b"heat_template_version: rocky\n",
        "user-environment.yaml": b"parameter_defaults: {}\n",
        "environments/ssl/enable-tls.yaml": dump({"parameter_defaults": {k: only_here[k] for k in ("SSLKey", "SSLCertificate")}}),
        "spaced name \u00e9.yaml": b"a: 1\n",
        "big.bin": os.urandom(8 << 20),
    }
    # the default plan of stack `standalone`
    containers["standalone"] = {
        "plan-environment.yaml": dump(plan | {"name": "standalone"}),
        "user-environment.yaml": b"parameter_defaults: {}\n",
        "environments/ssl/enable-tls.yaml": containers["overcloud"]["environments/ssl/enable-tls.yaml"],
    }
    # what only its environment files have; NovaPassword there does not count
    listed = [{"path": "environments/ssl/enable-tls.yaml"}, {"data": {"parameter_defaults": {"CAMap": only_here["CAMap"]}}}]
    there = {k: only_here[k] for k in ("SSLKey", "SSLCertificate")} | {"NovaPassword": shapes.word()}
    containers["listed"] = {
        "plan-environment.yaml": dump(plan | {"name": "listed", "parameter_defaults": {}, "environments": listed}),
        "environments/ssl/enable-tls.yaml": dump({"parameter_defaults": there}),
    }
    fill_swift(s, endpoint["object-store"], containers)
    stacks = shapes.stacks(pw)
    ids = fill_heat(s, endpoint["orchestration"], stacks)
    refs, payloads = fill_barbican(s, endpoint["key-manager"], pw)

    with open(os.path.join(OUT, "plan-environment.yaml"), "wb") as f:
        f.write(body)
    with open(os.path.join(OUT, "expected.json"), "w") as f:
        json.dump(
            {
                "passwords": pw,
                "parameter_defaults": plan["parameter_defaults"],
                "overlay": chosen,
                "only_in_parameter_defaults": only_here,
                "effective": pw | chosen,
                "plan": plan,
                "plan_sha256": hashlib.sha256(body).hexdigest(),
                "outputs": {n: o for n, (_, _, o) in stacks.items() if o},
                "stack_ids": ids,
                "stack_status": {n: status for n, (status, _, _) in stacks.items()},
                "objects": {
                    f"{c}/{n}": {"bytes": len(b), "sha256": hashlib.sha256(b).hexdigest()}
                    for c, objects in containers.items()
                    for n, b in objects.items()
                },
                "barbican": refs,
                "barbican_payloads": payloads,
                "secrets": sorted(x for x in shapes.SECRETS if len(x) >= 6),
            },
            f,
            indent=1,
        )
    log("done")


main()

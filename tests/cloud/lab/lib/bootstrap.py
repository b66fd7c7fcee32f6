"""Users, roles, services and endpoints by Keystone's own REST API; safe to run again."""

import base64
import json
import os
import urllib.error
import urllib.request

E = os.environ
PORT = json.load(open(os.path.join(E["LAB_RUN"], "ports.json")))
URL = f"http://127.0.0.1:{PORT['KEYSTONE']}/v3"
TOKEN = None


def call(method, path, body=None, ok=(200, 201, 204)):
    req = urllib.request.Request(URL + path, method=method, data=None if body is None else json.dumps(body).encode())
    req.add_header("Content-Type", "application/json")
    if TOKEN:
        req.add_header("X-Auth-Token", TOKEN)
    try:
        with urllib.request.urlopen(req, timeout=60) as r:
            raw = r.read()
            return json.loads(raw) if raw else {}, r.headers
    except urllib.error.HTTPError as e:
        if e.code in ok:
            return {}, e.headers
        raise SystemExit(f"{method} {path}: {e.code} {e.read()[:500]!r}")


def login():
    _, h = call(
        "POST",
        "/auth/tokens",
        {
            "auth": {
                "identity": {
                    "methods": ["password"],
                    "password": {"user": {"name": "admin", "domain": {"id": "default"}, "password": E["ADMIN_PASSWORD"]}},
                },
                "scope": {"project": {"name": "admin", "domain": {"id": "default"}}},
            }
        },
    )
    return h["X-Subject-Token"]


def ensure(kind, name, **fields):
    plural = kind + "s"
    q = f"?name={name}" + (f"&domain_id={fields['domain_id']}" if "domain_id" in fields else "")
    found = call("GET", f"/{plural}{q}")[0][plural]
    if found:
        if "password" in fields:
            call("PATCH", f"/{plural}/{found[0]['id']}", {kind: {"password": fields["password"]}})
        return found[0]["id"]
    return call("POST", f"/{plural}", {kind: dict(name=name, **fields)})[0][kind]["id"]


def grant(project, user, role):
    call("PUT", f"/projects/{project}/users/{user}/roles/{ROLES[role]}")


TOKEN = login()
ROLES = {r["name"]: r["id"] for r in call("GET", "/roles")[0]["roles"]}
for r in ("heat_stack_user", "heat_stack_owner", "swiftoperator", "creator", "observer"):
    ROLES.setdefault(r, None)
    ROLES[r] = ROLES[r] or ensure("role", r)

admin_project = ensure("project", "admin", domain_id="default")
service = ensure("project", "service", domain_id="default")
other = ensure("project", "other", domain_id="default")
admin_user = ensure("user", "admin", domain_id="default")
for name in ("heat", "swift", "barbican"):
    u = ensure("user", name, domain_id="default", password=E["SERVICE_PASSWORD"])
    grant(service, u, "admin")
    grant(service, u, "service")
pw = E["USER_PASSWORD"]
for name, project, role in (
    ("norole", None, None),  # logs in unscoped; a scope gives 401
    ("stackuser", admin_project, "heat_stack_user"),  # a token, yet 403 from Heat and Swift
    ("reader", admin_project, "reader"),  # reads Heat; 403 from Swift
    ("member", admin_project, "member"),
    ("other", other, "member"),
):  # a good token for another project: 404s
    u = ensure("user", name, domain_id="default", password=pw)
    if project:
        grant(project, u, role)
disabled = ensure("user", "disabled", domain_id="default", password=pw)
grant(admin_project, disabled, "member")
call("PATCH", f"/users/{disabled}", {"user": {"enabled": False}})
dom = ensure("domain", "LabDomain")
lab_project = ensure("project", "labproject", domain_id=dom)
domain_user = ensure("user", "domuser", domain_id=dom, password=pw)
grant(lab_project, domain_user, "member")

# Without a domain role there is no token for the domain
call("PUT", f"/domains/default/users/{admin_user}/roles/{ROLES['admin']}")

# Who must give a code beside the password
totp_user = ensure("user", "totp", domain_id="default", password=pw)
grant(admin_project, totp_user, "admin")
rules = {"multi_factor_auth_enabled": True, "multi_factor_auth_rules": [["password", "totp"]]}
call("PATCH", f"/users/{totp_user}", {"user": {"options": rules}})
totpf = os.path.join(E["LAB_RUN"], "totp.json")
if not os.path.exists(totpf):
    seed = base64.b32encode(os.urandom(20)).decode()
    call("POST", "/credentials", {"credential": {"type": "totp", "blob": seed, "user_id": totp_user}})
    with open(totpf, "w") as f:
        json.dump({"seed": seed}, f)

# The administrator lets a user of another project act in his
trustf = os.path.join(E["LAB_RUN"], "trust.json")
if not os.path.exists(trustf):
    trustee = ensure("user", "other", domain_id="default")
    trust = {
        "trustor_user_id": admin_user,
        "trustee_user_id": trustee,
        "project_id": admin_project,
        "impersonation": True,
        "roles": [{"name": "admin"}],
    }
    with open(trustf, "w") as f:
        json.dump({"id": call("POST", "/OS-TRUST/trusts", {"trust": trust})[0]["trust"]["id"]}, f)

CATALOG = [
    ("keystone", "identity", "KEYSTONE", ""),
    ("heat", "orchestration", "HEAT", "/v1/%(tenant_id)s"),
    ("swift", "object-store", "SWIFT_PROXY", "/v1/AUTH_%(tenant_id)s"),
    ("barbican", "key-manager", "BARBICAN", ""),
]
endpoints = call("GET", "/endpoints")[0]["endpoints"]
services = {s["type"]: s["id"] for s in call("GET", "/services")[0]["services"]}
for name, kind, port, path in CATALOG:
    sid = services.get(kind) or call("POST", "/services", {"service": {"name": name, "type": kind}})[0]["service"]["id"]
    for iface in ("public", "internal", "admin"):
        url = (f"https://127.0.0.1:{PORT[port + '_TLS']}" if iface == "public" else f"http://127.0.0.1:{PORT[port]}") + path
        have = [e for e in endpoints if e["service_id"] == sid and e["interface"] == iface and e["region_id"] == E["LAB_REGION"]]
        if have:
            if have[0]["url"] != url:
                call("PATCH", f"/endpoints/{have[0]['id']}", {"endpoint": {"url": url}})
        else:
            call("POST", "/endpoints", {"endpoint": {"service_id": sid, "interface": iface, "region_id": E["LAB_REGION"], "url": url}})

appf = os.path.join(E["LAB_RUN"], "appcred.json")
if not os.path.exists(appf):
    ac = call(
        "POST",
        f"/users/{admin_user}/application_credentials",
        {"application_credential": {"name": "lab-" + os.urandom(4).hex(), "description": "for the project's tests"}},
    )[0]["application_credential"]
    with open(appf, "w") as f:
        json.dump({"id": ac["id"], "secret": ac["secret"], "name": ac["name"]}, f)
with open(os.path.join(E["LAB_RUN"], "ids.json"), "w") as f:
    json.dump(
        {"admin_project": admin_project, "admin_user": admin_user, "other_project": other, "service_project": service, "lab_domain": dom},
        f,
        indent=1,
    )

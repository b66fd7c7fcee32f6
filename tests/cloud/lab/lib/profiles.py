"""`lab env` and `lab clouds`: every way to log in, the good and the bad."""

import base64
import hmac
import json
import os
import shlex
import struct
import sys
import time
import urllib.request

E = os.environ
RUN = E["LAB_RUN"]
PORT = json.load(open(f"{RUN}/ports.json"))
SECRET = dict(line.rstrip("\n").split("=", 1) for line in open(f"{RUN}/secrets.env"))
TRUST = json.load(open(f"{RUN}/trust.json"))["id"]
TOTP_SEED = json.load(open(f"{RUN}/totp.json"))["seed"]
APPCRED = json.load(open(f"{RUN}/appcred.json"))
HTTP = f"http://127.0.0.1:{PORT['KEYSTONE']}/v3"
HTTPS = f"https://127.0.0.1:{PORT['KEYSTONE_TLS']}/v3"
CA = f"{RUN}/tls/ca.crt"


def prof(user="admin", password=None, project="admin", domain="Default", tls=False, **over):
    d = {
        "auth_type": "password",
        "auth": {
            "auth_url": HTTPS if tls else HTTP,
            "username": user,
            "password": password or (SECRET["ADMIN_PASSWORD"] if user == "admin" else SECRET["USER_PASSWORD"]),
            "user_domain_name": domain,
        },
        "region_name": E["LAB_REGION"],
        "identity_api_version": "3",
        "interface": "public" if tls else "internal",
    }
    if project:
        d["auth"]["project_name"] = project
        d["auth"]["project_domain_name"] = domain
    if tls:
        d["cacert"] = CA
    for k, v in over.items():
        if k == "auth_url":
            d["auth"][k] = v
        elif v is None:
            d.pop(k, None)
        else:
            d[k] = v
    return d


def appcred(tls=False, by_name=False):
    d = prof(tls=tls)
    d["auth_type"] = "v3applicationcredential"
    who = {"application_credential_id": APPCRED["id"]}
    if by_name:
        who = {"application_credential_name": APPCRED["name"], "username": "admin", "user_domain_name": "Default"}
    d["auth"] = {"auth_url": d["auth"]["auth_url"], "application_credential_secret": APPCRED["secret"]} | who
    return d


def token(tls=False):
    d = prof(tls=tls)
    d["auth_type"] = "v3token"
    for key in ("username", "password", "user_domain_name"):
        del d["auth"][key]
    return d


def trust(tls=False):
    d = prof("other", project=None, tls=tls)
    d["auth"]["trust_id"] = TRUST
    return d


def domain():
    d = prof(project=None)
    d["auth"]["domain_name"] = "Default"
    return d


def totp(tls=False):
    d = prof("totp", tls=tls)
    d["auth_type"] = "v3multifactor"
    d["auth_methods"] = "v3password,v3totp"
    return d


def new_token():
    """A token of the administrator's own, which nobody but he may revoke."""
    user = {"name": "admin", "domain": {"id": "default"}, "password": SECRET["ADMIN_PASSWORD"]}
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": "unscoped"}}
    request = urllib.request.Request(HTTP + "/auth/tokens", json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.headers["X-Subject-Token"]


def code():
    """The code of these 30 seconds (RFC 6238)."""
    digest = hmac.digest(base64.b32decode(TOTP_SEED), struct.pack(">Q", int(time.time()) // 30), "sha1")
    offset = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[offset : offset + 4])[0] & 0x7FFFFFFF) % 1000000:06}"


def system():
    d = prof(project=None)
    d["auth"]["system_scope"] = "all"
    return d


PROFILES = {
    "admin": prof(),
    "admin-tls": prof(tls=True),
    "appcred": appcred(),
    "appcred-tls": appcred(tls=True),
    "appcred-name": appcred(by_name=True),
    "appcred-name-tls": appcred(tls=True, by_name=True),
    "system": system(),
    "domain": domain(),
    "token": token(),
    "token-tls": token(tls=True),
    "totp": totp(),
    "totp-tls": totp(tls=True),
    "trust": trust(),
    "trust-tls": trust(tls=True),
    "member": prof("member"),
    "reader": prof("reader"),
    "stackuser": prof("stackuser"),
    "norole": prof("norole"),
    "unscoped": prof("norole", project=None),
    "disabled": prof("disabled"),
    "other": prof("other", project="other"),
    "domuser": prof("domuser", project="labproject", domain="LabDomain"),
    "wrongpw": prof(password="wrong"),
    "nouser": prof("nobody"),
    "noproject": prof(project="nowhere"),
    "badregion": prof(region_name="regionTwo"),
    "tls-noca": prof(tls=True, cacert=None),
    "tls-insecure": prof(tls=True, cacert=None, verify=False),
    "tls-expired": prof(tls=True, auth_url=f"https://127.0.0.1:{PORT['TLS_EXPIRED']}/v3"),
    "tls-wronghost": prof(tls=True, auth_url=f"https://127.0.0.1:{PORT['TLS_WRONGHOST']}/v3"),
    "tls-selfsigned": prof(tls=True, auth_url=f"https://127.0.0.1:{PORT['TLS_SELFSIGNED']}/v3"),
    "https-on-http": prof(tls=True, auth_url=HTTP.replace("http:", "https:")),
    "http-on-https": prof(auth_url=HTTPS.replace("https:", "http:")),
    "down": prof(auth_url="http://127.0.0.1:9/v3"),
}


def behind(port, ca="ca"):
    """Keystone behind one of the certificates, and what is trusted."""
    return prof(tls=True, auth_url=f"https://127.0.0.1:{PORT['TLS_' + port]}/v3", cacert=f"{RUN}/tls/{ca}.crt")


PROFILES |= {
    "tls-ip": behind("IP"),
    "tls-selfsigned-named": behind("SELFSIGNED", ca="both"),
    "tls-nosan": behind("NOSAN"),
    "tls-notyet": behind("NOTYET"),
    "tls-purpose": behind("PURPOSE"),
    "tls-ca-as-server": behind("OWNCA", ca="ownca"),
    "tls-issuer-is-no-ca": behind("BELOW"),
    "tls-version-1": behind("ONE"),
    "tls-leaf-as-ca": prof(tls=True, cacert=f"{RUN}/tls/server.crt"),
    "tls-other-ca": prof(tls=True, cacert=f"{RUN}/tls/ownca.crt"),
}


def env_of(d):
    out = {
        "OS_AUTH_TYPE": d["auth_type"],
        "OS_IDENTITY_API_VERSION": "3",
        "OS_REGION_NAME": d["region_name"],
        "OS_INTERFACE": d["interface"],
        "OS_ENDPOINT_TYPE": d["interface"] + "URL",
    }
    out.update({"OS_" + k.upper(): v for k, v in d["auth"].items()})
    # What lives too short for clouds.yaml
    if d["auth_type"] == "v3token":
        out["OS_TOKEN"] = new_token()
    if "auth_methods" in d:
        out |= {"OS_AUTH_METHODS": d["auth_methods"], "OS_PASSCODE": code()}
    if "cacert" in d:
        out["OS_CACERT"] = d["cacert"]
    if d.get("verify") is False:
        out["OS_INSECURE"] = "true"
    return out


args = sys.argv[1:]
if args[0] == "clouds":

    def y(v):
        return "false" if v is False else json.dumps(v)  # JSON strings are YAML

    print("# written by `lab start`; one entry for each profile of `lab env --list`\nclouds:")
    for n, d in PROFILES.items():
        print(f"  {n}:")
        for k, v in d.items():
            if isinstance(v, dict):
                print(f"    {k}:")
                for a, b in v.items():
                    print(f"      {a}: {y(b)}")
            else:
                print(f"    {k}: {y(v)}")
elif "--list" in args:
    print("\n".join(PROFILES))
else:
    name = args[1] if len(args) > 1 else "admin"
    if name not in PROFILES:
        sys.exit(f"no profile `{name}`; there are {' '.join(PROFILES)}")
    print("unset ${!OS_*}")
    for k, v in env_of(PROFILES[name]).items():
        print(f"export {k}={shlex.quote(v)}")

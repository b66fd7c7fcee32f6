#!/usr/bin/env python3
"""Which secrets each role of TripleO takes, computed from its own templates: makes src/role/RELEASE.txt.

    tools/role_tables.py RELEASE TEMPLATES COMMON PUPPET TAG

TEMPLATES and COMMON are the source packages (.tar.gz) of tripleo-heat-templates and tripleo-common, as `pip download --no-deps
--no-binary :all: --no-build-isolation` fetches them (where pbr and setuptools < 60 are installed: newer ones do not build them). PUPPET is
a git clone of puppet-tripleo, and TAG its version. Needs PyYAML. The same input gives the same bytes.

A role is a list of services; the resource registry says which template a service is; a template declares the parameters that it takes,
and so do those that it is made of. Of these the tables have what a bundle can seal: the release's PASSWORD_PARAMETER_NAMES, and the
names that src/classify/rules.rs knows. Beside them:

- GlobalConfigExtraMapData, whose value has the message bus's password: for a service whose puppet profile, or one that this includes,
  looks that password up;
- CephExternalMultiConfig: for the services by which a role is Ceph's client, whatever the registry makes of them. It is only in a bundle
  that was asked for other clusters.

An environment file may make another template, or one at all, of a service; what it adds stands in a section of its own. Each is looked at
alone: what two of them add only together is not seen. Jinja is stripped and not rendered: loops are over roles and networks, and make no
parameter that is a secret. What is no YAML then is read line by line. A template that is not there is named on stderr.
"""

import ast
import hashlib
import io
import posixpath
import re
import subprocess
import sys
import tarfile
import textwrap
import time
from pathlib import Path

import yaml

REGISTRY = "overcloud-resource-registry-puppet.yaml"
SERVICE = "OS::TripleO::Services::"
# What every role has, whatever its services: the node's own template. The stack's own is left out: from Zed on it declares
# AdminPassword, only to have an output of it, which no node reads
NODE = "(node)"
NODE_TEMPLATE = "puppet/role.role.yaml"
BUS = "GlobalConfigExtraMapData"
BUS_PASSWORD = re.compile(r"oslo_messaging_(rpc|notify)_password")
CEPH = "CephExternalMultiConfig"
CEPH_CLIENTS = ("CephClient", "CephExternal")
# No site is deployed with these
NO_SITES = re.compile(r"undercloud|standalone$|^minimal$|^openshift|^services-baremetal/", re.I)
# A driver of Manila's each: see src/classify/rules.rs
MANILA = re.compile(r"Manila\w*NasPassword$")


class Archive:
    """A source package: its files by their path, without the directory that all are in."""

    def __init__(self, path):
        packed = Path(path).read_bytes()
        self.name, self.version = Path(path).name.removesuffix(".tar.gz").rsplit("-", 1)
        self.sha256 = hashlib.sha256(packed).hexdigest()
        self.files, links, self.date = {}, {}, 0
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            for member in archive:
                name = member.name.split("/", 1)[-1]
                self.date = max(self.date, member.mtime)
                if member.isfile():
                    self.files[name] = archive.extractfile(member).read().decode("utf-8", "replace")
                elif member.issym():
                    links[name] = posixpath.normpath(posixpath.join(posixpath.dirname(name), member.linkname))
        self.files.update({name: self.files[to] for name, to in links.items() if to in self.files})

    def origin(self):
        date = time.strftime("%Y-%m-%d", time.gmtime(self.date))
        return f"{self.name} {self.version} of {date}, sha256 {self.sha256}"


class Loader(yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader):
    """Duplicate keys and unknown tags are the templates' business."""


Loader.add_multi_constructor("!", lambda loader, suffix, node: None)


class Templates:
    """Heat's templates, and what each declares."""

    def __init__(self, archive):
        self.files = archive.files
        self.parsed = {}
        self.missing = set()

    def text(self, path):
        """The template at `path`; where there is only one for jinja, that, stripped."""
        if path in self.files:
            return self.files[path]
        text = self.files.get(path.removesuffix(".yaml") + ".j2.yaml")
        return "" if text is None else strip_jinja(text)

    def read(self, path):
        if path not in self.parsed:
            text = self.text(path)
            if not text and "Jinja" not in path:
                self.missing.add(path)
            try:
                document = yaml.load(text, Loader)
            except yaml.YAMLError:
                document = lines_of(text)
            self.parsed[path] = document if isinstance(document, dict) else {}
        return self.parsed[path]

    def registry(self, path):
        """Its registry, with paths as from the top."""
        entries = self.read(path).get("resource_registry") or {}
        here = posixpath.dirname(path)
        return {name: resolved(here, to) for name, to in entries.items() if isinstance(to, str)}

    def closure(self, registry, of):
        """The templates that the resource type `of` is made of."""
        found, waiting = set(), [of]
        seen = set()
        while waiting:
            of = waiting.pop()
            if of in seen:
                continue
            seen.add(of)
            if of in registry:
                waiting.append(registry[of])
            elif of.endswith(".yaml"):
                found.add(of)
                here = posixpath.dirname(of)
                waiting.extend(resolved(here, kind) for kind in types_in(self.read(of).get("resources")))
        return found


def strip_jinja(text):
    text = re.sub(r"\{#.*?#\}", "", text, flags=re.S)
    text = re.sub(r"\{%.*?%\}", "", text, flags=re.S)
    return re.sub(r"\{\{.*?\}\}", "Jinja", text, flags=re.S)


def lines_of(text):
    """What can be told of a template without reading it as YAML: its parameters, and the types in it."""
    section = re.search(r"^parameters:\n((?:[ #].*\n|\n)*)", text, re.M)
    names = re.findall(r"^  (\w+):", section[1], re.M) if section else []
    types = re.findall(r"^ +type: +(\S+)$", text, re.M)
    return {"parameters": dict.fromkeys(names), "resources": [{"type": kind} for kind in types]}


def resolved(here, kind):
    """A resource type: a path is taken from the top, a name stays as it is."""
    return posixpath.normpath(posixpath.join(here, kind)) if kind.endswith(".yaml") else kind


def types_in(resources):
    """Every `type` of resources, and of those that they repeat."""
    if isinstance(resources, dict):
        kind = resources.get("type")
        if isinstance(kind, str) and ("::" in kind or kind.endswith(".yaml")):
            yield kind
        for value in resources.values():
            yield from types_in(value)
    elif isinstance(resources, list):
        for value in resources:
            yield from types_in(value)


class Puppet:
    """puppet-tripleo's profiles, and which of them look up the message bus's password."""

    def __init__(self, clone, tag):
        def git(*arguments):
            return subprocess.run(["git", "-C", clone, *arguments], check=True, stdout=subprocess.PIPE).stdout

        self.tag, self.commit = tag, git("rev-parse", f"{tag}^{{commit}}").decode().strip()
        self.manifests = {}
        with tarfile.open(fileobj=io.BytesIO(git("archive", self.commit, "manifests"))) as archive:
            for member in archive:
                if member.isfile():
                    path = member.name.removeprefix("manifests/").removesuffix(".pp")
                    self.manifests["tripleo::" + path.replace("/", "::")] = archive.extractfile(member).read().decode()

    def is_on_the_bus(self, text):
        waiting, seen = profiles_in(text), set()
        while waiting:
            profile = waiting.pop()
            if profile not in seen:
                seen.add(profile)
                manifest = self.manifests.get(profile, "")
                if BUS_PASSWORD.search(uncommented(manifest)):
                    return True
                waiting |= profiles_in(uncommented(manifest))
        return False


def uncommented(text):
    return re.sub(r"#.*", "", text)


def profiles_in(text):
    """The profiles that `text` includes or declares."""
    return set(re.findall(r"(?:\binclude|\bcontain|\brequire|\bclass\s*\{\s*['\"]?)\s*(?:::)?(tripleo::[a-z0-9_:]+\w)", text))


class Tables:
    """What each service takes by the registry."""

    def __init__(self, templates, puppet, secrets):
        self.templates, self.puppet, self.secrets = templates, puppet, secrets
        self.of_closure = {}

    def is_secret(self, name):
        return name in self.secrets or name == CEPH or MANILA.match(name)

    def taken(self, registry, service):
        of = NODE_TEMPLATE if service == NODE else SERVICE + service
        closure = frozenset(self.templates.closure(registry, of))
        if closure not in self.of_closure:
            names = set()
            for path in closure:
                names |= {name for name in self.templates.read(path).get("parameters") or {} if self.is_secret(name)}
            if any(self.puppet.is_on_the_bus(uncommented(self.templates.text(path))) for path in closure):
                names.add(BUS)
            self.of_closure[closure] = names
        return self.of_closure[closure]


def known_secrets(common):
    """The release's own list, and ours."""
    for node in ast.parse(common.files["tripleo_common/constants.py"]).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "PASSWORD_PARAMETER_NAMES":
            own = set(ast.literal_eval(node.value))
    rules = Path(__file__).resolve().parent.parent / "src/classify/rules.rs"
    code = rules.read_text().split("#[cfg(test)]")[0]
    return own | set(re.findall(r'^    "(\w+)",$', code, re.M))


def main(release, templates, common, clone, tag):
    command = " ".join(["tools/role_tables.py", release, Path(templates).name, Path(common).name, "puppet-tripleo", tag])
    archive, common, puppet = Archive(templates), Archive(common), Puppet(clone, tag)
    templates = Templates(archive)
    tables = Tables(templates, puppet, known_secrets(common))

    roles = {}
    for path in sorted(name for name in archive.files if re.fullmatch(r"roles/[^/]+\.yaml", name)):
        for role in yaml.load(archive.files[path], Loader) or []:
            if not NO_SITES.search(role["name"]):
                services = {name.removeprefix(SERVICE) for name in role.get("ServicesDefault") or []}
                roles[role["name"]] = [NODE, *sorted(services)]
    services = sorted({service for each in roles.values() for service in each})

    registry = templates.registry(REGISTRY)
    by_default = {service: set(tables.taken(registry, service)) for service in services}
    if templates.missing:
        sys.exit(f"{release}: the registry has what is not there: {', '.join(sorted(templates.missing))}")
    environments = {}
    for path in sorted(name for name in archive.files if re.fullmatch(r"environments/.*\.yaml", name)):
        path = path.replace(".j2.yaml", ".yaml")
        name = path.removeprefix("environments/").removesuffix(".yaml")
        if (other := templates.registry(path)) and not NO_SITES.search(name):
            other = {**registry, **other}
            environments[name] = {service: tables.taken(other, service) for service in services}
    for client in CEPH_CLIENTS:
        if any(CEPH in taken.get(client, ()) for taken in environments.values()):
            by_default[client].add(CEPH)
    # Several environments that add the same are one section
    sections = {}
    for name, taken in environments.items():
        added = {service: sorted(names - by_default[service]) for service, names in taken.items()}
        added = {service: names for service, names in added.items() if names}
        if added:
            sections.setdefault(repr(added), (added, []))[1].append(name)

    print(f"# Which secrets each role of TripleO {release} takes. Made by a program, which says how: not to be edited.")
    print(f"# Made with: {command}")
    for source in (archive, common):
        print(f"# From: {source.origin()}")
    print(f"# From: puppet-tripleo {puppet.tag}, commit {puppet.commit}")
    print(f"origin: {archive.name} {archive.version}")
    show("services", by_default)
    used = {service for service, names in by_default.items() if names}
    for added, names in sections.values():
        show(f"with {' '.join(names)}", added)
        used |= added.keys()
    show("roles", {role: [service for service in each if service in used] for role, each in roles.items()})
    for path in sorted(templates.missing):
        print(f"{release}: not there: {path}", file=sys.stderr)


def show(title, table):
    print(f"\n[{title}]")
    for name, values in sorted(table.items()):
        if values:
            line = f"{name}: {' '.join(sorted(values))}"
            print(textwrap.fill(line, 110, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False))


if __name__ == "__main__":
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    main(*sys.argv[1:])

"""`lab failures`: everything in the lab that a pull must refuse, one a line: where, name, what is wrong."""

ROWS = {
    "cloud": {
        "wrongpw": "another password",
        "nouser": "no such user",
        "noproject": "no such project",
        "norole": "a user without a role in the project",
        "disabled": "a user who is disabled",
        "unscoped": "a token without a project",
        "system": "a token for the system instead of a project",
        "badregion": "a region in which there is nothing",
        "reader": "a role that may not read Swift",
        "stackuser": "a role that neither Heat nor Swift lets in",
        "other": "a good token of another project",
        "domuser": "a user of another domain, in a project without a stack",
        "down": "a port where nobody listens",
        "http-on-https": "http where the port speaks TLS",
        "https-on-http": "TLS with a server that never answers",
        "tls-noca": "a private CA that is not named",
        "tls-other-ca": "a private CA, and the name of another",
        "tls-leaf-as-ca": "the server's own certificate in place of its CA's",
        "tls-expired": "a certificate that has expired",
        "tls-notyet": "a certificate that is not valid yet",
        "tls-wronghost": "a certificate for another host",
        "tls-nosan": "a certificate without subjectAltName",
        "tls-version-1": "a certificate of version 1",
        "tls-purpose": "a certificate for clients",
        "tls-selfsigned": "a self-signed certificate that is not named",
        "tls-ca-as-server": "a CA's certificate that serves as a server's",
        "tls-issuer-is-no-ca": "a certificate that a server's has signed",
    },
    "stack": {
        "nooutputs": "none of the outputs",
        "train": "no AllNodesConfig",
        "nulls": "an output that is null",
        "masked": "a value that Heat has masked",
        "inprogress": "it is being created",
        "failed": "its creation has failed",
    },
    "plan": {
        "empty": "a container without the plan",
        "empty-file": "no bytes",
        "broken": "no YAML",
        "not-utf8": "Latin-1",
        "not-a-map": "a list",
        "no-passwords": "no `passwords`",
        "null-passwords": "`passwords` is null",
        "empty-passwords": "`passwords` is empty",
        "masked": "a value that Heat has masked",
        "python-tag": "a tag that makes PyYAML run code",
        "bomb": "aliases that grow to billions of values",
    },
    "service": {
        "stop heat": "refused over http, 502 and a page over TLS",
        "stop keystone": "refused over http, 502 and a page over TLS",
        "stop swift-object": "503",
        "pause heat": "it accepts, and never answers",
    },
}

for place, names in ROWS.items():
    for name, what in names.items():
        print(f"{place}\t{name}\t{what}")

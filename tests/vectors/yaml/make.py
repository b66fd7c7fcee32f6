#!/usr/bin/env python3
"""Writes plain.json, strings.json and dump.json: what PyYAML makes of scalars, strings and documents.

    pip install PyYAML && python3 tests/vectors/yaml/make.py

The result depends on nothing but PyYAML; the vectors were made with 6.0.3. All secrets are invented.
"""
import base64
import datetime
import itertools
import json
import pathlib
import random

import yaml

HERE = pathlib.Path(__file__).parent
# PyYAML reads these, we refuse them: a type we do not have, an invisible character, and what its C code reads differently
REFUSED = {"!!omap []", "a\ufeffb", "!", "! ''"}
RANDOM = random.Random(20240229)


def encoded(value):
    """A value with its kind, as the test compares it: numbers by value, all else by text."""
    if value is None:
        return {"null": ""}
    if isinstance(value, bool):
        return {"bool": str(value).lower()}
    if isinstance(value, int):
        return {"int": str(value)}
    if isinstance(value, float):
        return {"float": repr(value)}
    if isinstance(value, str):
        return {"string": value}
    if isinstance(value, bytes):
        return {"binary": base64.b64encode(value).decode()}
    if isinstance(value, (datetime.datetime, datetime.date)):
        return {"timestamp": value.isoformat()}
    if isinstance(value, list):
        return {"list": [encoded(item) for item in value]}
    return {"map": [[encoded(key), encoded(item)] for key, item in value.items()]}


def loaded(text):
    try:
        return encoded(yaml.safe_load(text))
    except Exception:  # a ValueError of datetime counts as much as a YAMLError
        return {"error": ""}


def verdict(text):
    return {"error": ""} if text in REFUSED else loaded(f"- {text}\n")


def plain_texts():
    words = "yes no on off true false y n null ~ inf nan".split()
    yield from itertools.chain.from_iterable((w, w.title(), w.upper(), w[:-1] + w[-1:].upper()) for w in words)
    yield from """
        ~~ nil none None .inf .Inf .INF -.inf +.inf .nan .NaN .NAN +.nan -.nan .iNf = == << <<< ! !x & * | > % @ `
        0 -0 +0 00 000 01 07 08 09 0777 0778 0888 -017 +017 0o17 0O17 0_7 0_8 0_ 0__ _0 1_ 1__0 1_000 1_000_ 1,000 -1_000
        0b 0b0 0b1 0b2 0b1_0 0b_ 0b_1 -0b1 +0b1 0B1 0x 0x0 0xf 0xF 0xg 0x_ 0x_1 -0x1F +0xff 0Xff 0b1b 0x1x
        1 12 -12 +12 +-1 --1 1- 1+ 123456789012345678901234567890 1a a1 1e 1e5 1E5 1e+5 1e-5 12e03 0e0 00e1 1.0e5 1.0e+5
        1.0E-5 1.e+5 1.e5 1._e+5 .5e+5 .5e5 1.5e+ 1.5e- 1.5e+_1 1.5e+1_ . .. ... .5 .5_ ._5 -.5 +.5 5. -5. +5. 5_. 5._ 1.2.3
        1.5 1_0.5_0 -1.5 +1.5 01.5 08.5 0x1.8 .e5 .e+5 1.5f 1:30 1:3 1:60 1:300 1:3: :1 1: 1:: 0:30 00:30 01:30 08:30 -1:30
        +1:30 12:30:45 190:20:30 1_0:30 1:3_0 1:30.5 1:30. 1:30._ 1:30.5e+3 0:30.5 01:30.5 -1:30.5 1:60.5 1:30:45.5 1.5:30
        2024-01-01 2024-1-1 2024-01-1 2024-13-01 2024-00-01 2024-02-30 2023-02-29 2024-02-29 1900-02-29 0000-01-01 0001-01-01
        2024-01-01T00:00:00Z 2024-01-01t0:00:00 2024-1-1T1:00:00 2024-01-01T1:0:00 2024-01-01T24:00:00 2024-01-01T23:60:00
        2024-01-01T00:00:60 2024-01-01T00:00:00.1 2024-01-01T00:00:00. 2024-01-01T00:00:00.1234567 2024-01-01T00:00:00+1
        2024-01-01T00:00:00+01:30 2024-01-01T00:00:00-23:59 2024-01-01T00:00:00+24:00 2024-01-01T00:00:00z
        2024-01-01T00:00:00+1:3 2024-01-01T 2024-01-01Z 20240101 2024-01 24-01-01 12024-01-01 2024-01-01x
        a,b a[b a]b a{b a}b a?b a!b a&b a*b a|b a>b a'b a"b a%b a@b a`b a#b a:b a-b -a ?a :a -- -1a ?? a? a# ---a --- {} []
        [a] {a} 'a' "a" {{x}} $a %a @a `a \\a a\\ /a ~a <a ,a
    """.split()
    yield from ["", " ", "a b", "a  b", "a #b", "a #", "a: b", "a :b", "a :", "- a", "? a", "# a", "'a' b", "{{ x }}"]
    yield from ["2024-01-01 00:00:00", "2024-01-01  1:00:00 +2", "2024-01-01 00:00:00 Z", "2024-01-01 0:0:0"]
    yield from ["é", "пароль", "日本", "😀", "\xa0a", "a\xa0", "²", "١٢", "１２", "1\xa0", "\x7f", "\x01", "\ufffe", "a\ufeffb"]
    yield from ["!!str 12", "!!int 0o17", "!!int '12'", "!!int 08", "!!int 1e5", "!!int x", "!!int 1:99", "!!float 1e22"]
    yield from ["!!float 12", "!!float x", "!!float 1:30", "!!bool tRuE", "!!bool y", "!!null x", "!!null", "!!str"]
    yield from ["!!str ~", "!!binary QUJD", "!!binary QQ", "!!binary 'Q Q = ='", "!!binary é", "!!timestamp 2024-1-1"]
    yield from ["!!timestamp x", "!!timestamp 2024-13-1", "!!seq [1]", "!!map {a: 1}", "!!seq {}", "!!map []", "!!seq x"]
    yield from ["!!set {a}", "!!omap []", "!!python/none x", "!!python/unicode x", "!custom x", "!<tag:yaml.org,2002:str> 1"]
    yield from ["! 12", "! '12'", '! "yes"', "! x", "! [1]", "! {a: 1}", "! ''", "!!merge x", "!!value x", "!x!y z", "!"]
    # What passwords and bad luck are made of
    for alphabet in ["0123456789e", "01e+-.", "019_.:", "0x_bfo1", "12:30.-T Z", "-+.0_:e9"]:
        yield from ("".join(RANDOM.choices(alphabet, k=RANDOM.randint(2, 8))) for _ in range(150))


def strings():
    yield from (text for text in plain_texts() if len(text) < 12)
    yield from ["\n", "\n\n", "a\n", "a\nb", "a\n\nb\n\n", "\na", " a\nb", "a \nb", "a\n b", "a\r\nb", "\r", "a\r", "\t", "a\tb"]
    yield from ["\ta", "a\t", " a", "a ", "  ", " \n ", "\\", "\\n", "\\x41", "\"", "'", "''", "a'b\"c", "'\n'", "\"\n\""]
    yield from [chr(code) for code in [0, 1, 7, 8, 11, 12, 27, 31, 127, 128, 133, 159, 160, 0x2028, 0x2029, 0xFEFF, 0xFFFF]]
    yield from ["a\x85b", "\u2028a", "a\u2029", "\ufeffa", "a\x00b", "\U0001f600", "\U0010ffff", "\ud7ff", "\ue000", "é\n日本\t"]
    yield from ["--- a", "---\n", "a\n---\nb", "...\n", "a: b: c", "a:\nb", "- a\n- b\n", "{a: b}\n", "# no comment", "a\n# b"]
    yield from ["x" * 4096, "word " * 60, "x" * 90 + " " + "y" * 90, "é" * 200, "\\" * 90, ("k" * 79 + "\n") * 3, " " * 100]
    yield "-----BEGIN RSA PRIVATE KEY-----\n" + "MIIEfake+/fake\n" * 5 + "-----END RSA PRIVATE KEY-----\n"


DUMPED = {
    "plan passwords": {
        "passwords": {
            "AdminPassword": "jFmY8FTpvtF2e4d4ReXvmUP8k",
            "HorizonSecret": "1234e56789",
            "RabbitCookie": "0123456789",
            "BarbicanSimpleCryptoKek": "-Ghpcn_5X3R3b19ieXRlX2tleWJsYWhibGFoYmxhaGg=",
            "CephClientKey": "AQCQXtlXAAAAABAAKyc+8St8i9onHyu2mPk+vg==",
            "CephClusterFSID": "97c16f44-b62c-11e6-aed3-185e0f73fdc5",
            "PacemakerRemoteAuthkey": "k" * 4096,
            "SnmpdReadonlyUserPassword": 12345,
            "EnableMysqlAuthEd25519": True,
            "KeystoneFernetKeys": {
                "/etc/keystone/fernet-keys/0": {"content": "O8NSPxr4zXBBAoGIj-5aUmtE7-Jk5a4ptVsEhzJ8Vd8="},
                "/etc/keystone/fernet-keys/12": {"content": "AueoL37kd6eLjV29AG-Ruxu5szW47osgXx6aPOqtI6I="},
            },
            "MigrationSshKey": {
                "private_key": "-----BEGIN RSA PRIVATE KEY-----\n"
                + "bm90IGEga2V5LCBub3QgYSBrZXksIG5vdCBhIGtleSwgbm90IGEga2V5LCBub3QgYSBr\n" * 4
                + "-----END RSA PRIVATE KEY-----\n",
                "public_key": "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ" + "x" * 300 + " Generated by TripleO",
            },
        },
        "template": "overcloud.yaml",
        "version": 1.0,
    },
    "all types": {
        "none": None, "ints": [0, -1, 10**30], "floats": [1.5, -0.0, 1e22, 1e-7, float("inf"), float("-inf"), float("nan")],
        "bytes": [b"", b"\x00\xff", bytes(range(256))], "date": datetime.date(2024, 2, 29),
        "time": datetime.datetime(2024, 2, 29, 12, 30), 1: "int key", None: "null key", True: "bool key", 1.5: "float key",
    },
    "nesting": {"a": [[1, [2, []]], {"b": [{"c": {}}, {"d": None, "e": [{}]}]}], "": {"": ""}},
    "long key": {"k" * 200: {"x": 1}, "word " * 40: ["a"], "l" * 1100: "v", "with\nbreak": 1},
    "shared": (lambda shared: {"a": shared, "b": shared, "c": [shared, {"d": shared}]})({"x": [1, "y"]}),
    "list": ["a", "1", 1, "long " * 40, "x\ny\n"],
    "only a string": "a\n\nb",
}

WRITTEN = {
    "empty": "", "comment": "# nothing\n", "byte order mark": "\ufeffa: 1\n", "null document": "---\n", "ended": "a: 1\n...\n",
    "two documents": "a: 1\n---\nb: 2\n", "two empty documents": "---\n---\n", "directive": "%YAML 1.1\n---\na: 1\n",
    "duplicates": "a: 1\nb: 2\na: 3\n", "equal keys": "~: 1\nnull: 2\nyes: 3\ntrue: 4\n'yes': 5\n",
    "anchors": "a: &x [1, &y two]\nb: *x\nc: *y\n*y : d\n", "unknown alias": "a: *x\n", "late anchor": "a: *x\nb: &x 1\n",
    "merge": "base: &b {x: 1, y: 2}\none: {<<: *b, y: 3}\nafter:\n  y: 4\n  <<: *b\n  z: 5\n",
    "merge list": "- &a {x: 1, p: a}\n- &b {x: 2, q: b}\n- {<<: [*a, *b], r: 3}\n- <<: [*b, *a]\n  x: 9\n",
    "merge twice": "- &a {x: 1}\n- &b {x: 2}\n- <<: *a\n  <<: *b\n  y: 3\n", "merge of merge": "- &a {x: 1}\n- &b {<<: *a, y: 2}\n- <<: *b\n",
    "merge of a scalar": "a: {<<: 1}\n", "merge of scalars": "a: {<<: [1]}\n", "quoted merge": "a: {'<<': 1}\n", "merge as value": "a: <<\n",
    "merge of null": "<<:\na: 1\n", "merge of nothing": "<<: []\na: 1\n", "merge in a list": "- <<\n", "merge twice in lists":
    "- &a {x: 1}\n- &b {<<: [*a, {x: 2, z: 3}], y: 2}\n- <<: [*b, *a]\n  z: 1\n",
    "value key": "=: 1\na: 2\n", "value": "a: =\n", "value in a list": "[=]\n", "quoted value": "a: '='\n",
    "list as a key": "? [a]\n: 1\n", "map as a key": "{{a: 1}: 2}\n", "jinja": "a: {{ b }}\n", "quoted jinja": "a: '{{ b }}'\n",
    "literal": "a: |\n  x\n   y\n\n  z\nb: |-\n  x\nc: |+\n  x\n\nd: |2\n    x\n", "folded": "a: >\n  x\n  y\n\n  z\n   w\n  v\nb: >-\n  x\n",
    "plain lines": "a: x\n  y\n\n  z\nb: 1\n  2\n", "quoted lines": "a: 'x\n  y\n\n  z'\nb: \"x\\\n  y\\n\\\n  \\ z\"\n",
    "escapes": 'a: "\\0\\a\\b\\t\\n\\v\\f\\r\\e\\ \\"\\/\\\\\\N\\_\\L\\P\\x41\\u00e9\\U0001F600"\n', "bad escape": 'a: "\\q"\n',
    "json": '{"a": [1, 2.5, "x", true, null], "b": {"c": "d"}, "e":1}\n', "crlf": "a: 1\r\nb: 'x\r\n  y'\r\n", "no last break": "a: b",
    "dashes": "a:\n- 1\n- - 2\n  - 3\n-  b: 1\n   c: 2\n", "comments": "a: b # c\n# d\ne: 'f' # g\nh: i#j\n", "unclosed": "a: 'b\n",
    "indent": "a:\n  b: 1\n c: 2\n", "no colon": "a: 1\nb\n", "colon twice": "a: b: c\n", "flow breaks": "a: [1,\n 2,\n]\nb: {c,\n d: }\n",
    "binary block": "a: !!binary |\n  QUJD\n  REVG\nb: !!binary QUJD\n", "tag on a map": "!!map\na: !!seq\n- 1\n", "set": "!!set {a, b}\n",
    "empty values": "a:\nb: ''\nc: !!str\n? d\n-x: 1\n", "self": "&a [*a]\n", "anchored null": "a: &x\nb: *x\n",
    "urls": "a: http://x:80/y?z#w\nb: [http://x:80, 'c']\n", "heat": "resource_registry:\n  OS::TripleO::X: ../x.yaml\n  OS::Heat::None: ~\n",
}


def save(name, rows):
    lines = ",\n".join(json.dumps(row) for row in rows)
    (HERE / name).write_text(f"[\n{lines}\n]\n")


def main():
    # The one thing that we read and PyYAML does not: an empty key of a map that starts behind a dash
    texts = [text for text in dict.fromkeys(plain_texts()) if text != ":" and not text.startswith(": ")]
    save("plain.json", [{"text": text, "value": verdict(text)} for text in texts])
    save("strings.json", [{"text": text, "dump": yaml.safe_dump({"k": text})} for text in dict.fromkeys(strings())])
    dumped = {name: yaml.safe_dump(value, default_flow_style=False) for name, value in DUMPED.items()}
    flow = {f"{name}, in flow style": yaml.safe_dump(value, default_flow_style=True) for name, value in DUMPED.items()}
    texts = dumped | flow | WRITTEN
    save("dump.json", [{"name": name, "yaml": text, "value": loaded(text)} for name, text in texts.items()])


if __name__ == "__main__":
    main()

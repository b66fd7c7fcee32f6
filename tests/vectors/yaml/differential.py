"""Called by tests/yaml.rs: reads with PyYAML what we wrote, and dumps with PyYAML what we then read."""
import json
import sys

import yaml

sys.dont_write_bytecode = True
from make import encoded  # noqa: E402 (the line above leaves no __pycache__ beside the vectors)

LOADERS = [loader for loader in (yaml.SafeLoader, getattr(yaml, "CSafeLoader", None)) if loader]
DUMPERS = [dumper for dumper in (yaml.SafeDumper, getattr(yaml, "CSafeDumper", None)) if dumper]


def load(text, loader):
    try:
        return yaml.load(text, Loader=loader)
    except Exception as error:
        return error


def typed(text, loader):
    """The plain scalar as this loader sees it; nothing where the loader finds a fault or another structure."""
    value = load(text, loader)
    if isinstance(value, list) and len(value) == 1 and not isinstance(value[0], (list, dict, set)):
        return [encoded(value)]
    return []


def main():
    work = json.load(sys.stdin)
    misread, answers = [], []
    for document in work["documents"]:
        for loader in LOADERS:
            if encoded(load(document["written"], loader)) != document["value"]:
                misread.append([loader.__name__, document["value"], document["written"]])
    for case in work["cases"]:
        text = case["text"]
        expected = {text: text, "list": [text, {"in a map": text}]}
        for loader in LOADERS:
            if load(case["written"], loader) != expected:
                misread.append([loader.__name__, text, case["written"]])
        dumps = [
            yaml.dump({text: text}, Dumper=dumper, default_flow_style=False, allow_unicode=unicode)
            for dumper in DUMPERS
            for unicode in (False, True)
        ]
        plain = [value for loader in LOADERS if case["plain"] for value in typed(case["plain"], loader)]
        answers.append({"dumps": dumps, "plain": plain})
    json.dump({"misread": misread, "cases": answers}, sys.stdout)


if __name__ == "__main__":
    main()

"""Equality that tells 16 from 16.0, True from 1, a string from a date, and one order of keys from another."""


def difference(found, expected, ordered=True, path=""):
    """Where the two differ first, without a value; None when they do not."""
    if type(found) is not type(expected):
        return f"{path or '.'}: {type(found).__name__} instead of {type(expected).__name__}"
    if isinstance(expected, dict):
        if (list if ordered else set)(found) != (list if ordered else set)(expected):
            missing, extra = set(expected) - set(found), set(found) - set(expected)
            return f"{path or '.'}: other keys: missing {sorted(missing)}, too many {sorted(extra)}, or their order"
        pairs = [(f"{path}.{key}", found[key], expected[key]) for key in expected]
    elif isinstance(expected, list):
        if len(found) != len(expected):
            return f"{path or '.'}: {len(found)} items instead of {len(expected)}"
        pairs = [(f"{path}[{i}]", *both) for i, both in enumerate(zip(found, expected))]
    else:
        return None if found == expected else f"{path or '.'}: another value"
    return next(filter(None, (difference(f, e, ordered, p) for p, f, e in pairs)), None)


for one, other in ((16, 16.0), (True, 1), ("1e5", 1e5), (None, ""), ({"a": 1, "b": 2}, {"b": 2, "a": 1}), ([1], [1, 1]), ("a", "b")):
    assert difference(one, other), (one, other)
    assert difference({"k": [one]}, {"k": [other]}), (one, other)
    assert not difference(one, one) and not difference(other, other)

"""What schemathesis needs to know about this API, and the check of its own.

COUNTERSIGN_FOREIGN names a file of another tenant's ids, one a line. They are tried wherever an id
is asked for, in paths, queries and bodies, and no answer may hold one that was not in the question.
COUNTERSIGN_OWN names ids, with commas between, that are asked for nowhere: those of the caller, who
could revoke its own key and would then see nothing but refusals.
"""

import json
import os
import re

import schemathesis
from hypothesis import strategies as st

FOREIGN = []
if path := os.environ.get("COUNTERSIGN_FOREIGN"):
    with open(path, encoding="utf-8") as lines:
        FOREIGN = [line.strip() for line in lines if line.strip()]


@schemathesis.serializer("application/x-ndjson")
def lines(_context, value):
    """NDJSON: what it thought of, twice, a line each."""
    line = json.dumps(value).encode("utf-8", errors="surrogatepass")
    return line + b"\n" + line


OWN = [one for one in os.environ.get("COUNTERSIGN_OWN", "").split(",") if one]


ID = re.compile(r"[a-z]{3}_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def with_foreign(values, is_id):
    """Every third id is another tenant's."""
    if not (FOREIGN and isinstance(values, dict)):
        return st.just(values)
    names = [name for name, value in values.items() if is_id(name, value)]
    if not names:
        return st.just(values)
    choice = st.one_of(st.none(), st.none(), st.sampled_from(FOREIGN))

    def put(chosen):
        changed = {name: other for name, other in zip(names, chosen) if other is not None}
        return {**values, **changed}

    return st.tuples(*[choice for _ in names]).map(put)


@schemathesis.hook
def flatmap_path_parameters(_context, path_parameters):
    return with_foreign(path_parameters, lambda _name, _value: True)


@schemathesis.hook
def flatmap_query(_context, query):
    return with_foreign(query, lambda name, _value: name.endswith("_id"))


@schemathesis.hook
def flatmap_body(_context, body):
    # Not what callers call things themselves: that is kept, and shown to them again.
    return with_foreign(body, lambda _name, value: isinstance(value, str) and bool(ID.fullmatch(value)))


@schemathesis.hook
def filter_path_parameters(_context, path_parameters):
    return not any(value in OWN for value in (path_parameters or {}).values())


@schemathesis.check
def no_other_tenant(_context, response, case):
    """No answer shows what belongs to another tenant."""
    asked = json.dumps(
        [case.path_parameters, case.query, case.body], default=str, ensure_ascii=False
    )
    for one in FOREIGN:
        if one in response.text and one not in asked:
            raise AssertionError(f"the answer holds {one}, which belongs to another tenant")

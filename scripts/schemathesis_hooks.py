"""What schemathesis needs to know about this API, and the check of its own.

COUNTERSIGN_FOREIGN names a file of another tenant's ids, one a line. They are tried wherever an id
is asked for, and no answer may hold one that was not in the question.
"""

import json
import os
import random

import schemathesis

FOREIGN = []
if path := os.environ.get("COUNTERSIGN_FOREIGN"):
    with open(path, encoding="utf-8") as lines:
        FOREIGN = [line.strip() for line in lines if line.strip()]


@schemathesis.serializer("application/x-ndjson")
def lines(_context, value):
    """NDJSON: what it thought of, twice, a line each."""
    line = json.dumps(value).encode("utf-8", errors="surrogatepass")
    return line + b"\n" + line


@schemathesis.hook
def map_path_parameters(_context, path_parameters):
    """Every third id is another tenant's."""
    if FOREIGN and path_parameters:
        for name in path_parameters:
            if random.random() < 1 / 3:
                path_parameters[name] = random.choice(FOREIGN)
    return path_parameters


@schemathesis.check
def no_other_tenant(_context, response, case):
    """No answer shows what belongs to another tenant."""
    asked = json.dumps(
        [case.path_parameters, case.query, case.body], default=str, ensure_ascii=False
    )
    for one in FOREIGN:
        if one in response.text and one not in asked:
            raise AssertionError(f"the answer holds {one}, which belongs to another tenant")
